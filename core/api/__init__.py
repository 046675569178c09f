"""What the API's views share: checked parameters, scopes, errors, examples."""
