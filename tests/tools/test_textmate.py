KINDS = (
    ("comment", "comment"),
    ("punctuation.section.embedded", "hole"),
    ("string", "string"),
    ("storage.type.string", "string"),
    ("constant.character.escape", "string"),
    ("constant.numeric", "number"),
    ("constant.language.ellipsis", "operator"),
    ("constant.language", "keyword"),
    ("keyword.operator.word", "keyword"),
    ("keyword.operator", "operator"),
    ("keyword", "keyword"),
    ("variable.language", "keyword"),
    ("support.class.layer", "layer"),
    ("support.function", "function"),
    ("support.type", "type"),
    ("entity.name", "name"),
    ("variable", "name"),
    ("punctuation", "punctuation"),
)


def kind_of(scopes):
    for scope in reversed(scopes):
        if scope.startswith("meta.embedded"): return "punctuation"
        for start, kind in KINDS:
            if scope.startswith(start + "."):
                return kind
    return "punctuation"
