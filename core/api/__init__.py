"""What the API's views share: checked parameters, scopes, examples."""
