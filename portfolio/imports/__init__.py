"""A file of D-U-N-S numbers → rows, each validated → what a person confirms → what is requested.

Anyone may call its functions: pages, the API, commands. A call that changes nothing says why by an error:

    columns.BadFile         the file cannot be read
    states.Refused          the import is in another state, or was changed at the same moment
        states.NotAllowed   the right is missing, or it has to be a second person
        states.WrongNumber  the number confirmed is not the number of companies; it holds the right ones
"""
