def kind_of(scopes):
    return "x"
