"""Sentence pairs for lstm_seq2seq.py: real translations from a file, or sentences of a small grammar."""

from itertools import product


def read_pairs(path, limit):
    """Reads a file with lines of English, tab, French (as the Anki lists of the Tatoeba project have them).

    Returns:
        list of at most `limit` pairs (English, French).
    """
    pairs = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            columns = line.rstrip("\n").split("\t")
            if len(columns) > 1:
                pairs.append((columns[0], columns[1]))
            if len(pairs) == limit:
                break
    return pairs


def make_pairs():
    """A few hundred pairs made from a grammar: right sentences, but nothing that anybody has said."""
    who = [("I", "Je"), ("You", "Tu"), ("He", "Il"), ("She", "Elle")]
    does = [
        ("see", ("vois", "vois", "voit", "voit")),
        ("draw", ("dessine", "dessines", "dessine", "dessine")),
        ("want", ("veux", "veux", "veut", "veut")),
        ("sell", ("vends", "vends", "vend", "vend")),
    ]
    what = [
        ("a cat", "un chat"),
        ("a dog", "un chien"),
        ("a house", "une maison"),
        ("a boat", "un bateau"),
        ("a red car", "une voiture rouge"),
        ("the moon", "la lune"),
        ("two birds", "deux oiseaux"),
    ]
    when = [(".", "."), (" today.", " aujourd'hui."), ("!", " !"), (" again.", " encore.")]
    pairs = []
    for (person, ((i, je), (verb, forms))), (thing, chose), (end, fin) in product(
        enumerate(product(who, does)), what, when
    ):
        form = forms[person // len(does)]
        ending = "s" if i in ("He", "She") else ""
        pairs.append((f"{i} {verb}{ending} {thing}{end}", f"{je} {form} {chose}{fin}"))
    return pairs
