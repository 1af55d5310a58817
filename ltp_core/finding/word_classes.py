"""Kinds of English words by closed lists of our own.

A tagger would need a model; these lists need nothing and hide nothing. They look at the word alone, so a word
with two uses ("that", "like", "to") is always of one kind, and what is on no list is *content*: nouns,
main verbs, adjectives and adverbs together.
"""

_LISTS = {
    "article": "a an the",
    "pronoun": (
        "i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her "
        "hers herself it its itself they them their theirs themselves one ones who whom whose which what "
        "this that these those something anything nothing everything someone anyone everyone nobody"
    ),
    "preposition": (
        "of in on at by for with from to into onto about over under between among through during without "
        "within against toward towards across behind beyond than as like off up down out upon near since "
        "until despite per via"
    ),
    "conjunction": "and or but nor so yet if because although though while whereas unless whether when where",
    "auxiliary": (
        "am is are was were be been being do does did doing done has have had having can could may might "
        "must shall should will would ca wo s re ve ll d m"
    ),
    "negation": "not no never n't nt t neither none cannot hardly barely without lacks lacking",
    "degree": "very too so more most less least quite rather much many few just only even almost all both",
}
_KINDS: dict[str, str] = {}
for _kind, _words in _LISTS.items():
    for _word in _words.split():
        _KINDS.setdefault(_word, _kind)

KINDS = (*_LISTS, "punctuation", "number", "content")


def kind_of(word: str) -> str:
    """The kind of a word: one of `KINDS`."""
    word = word.lower().strip()
    if word in _KINDS:
        return _KINDS[word]
    if not any(character.isalnum() for character in word):
        return "punctuation"
    return "number" if word.replace(".", "").replace(",", "").isdigit() else "content"
