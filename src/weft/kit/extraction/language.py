"""Which language a text is in, as far as it decides how its dates are read: by its small words."""

import re
from collections import Counter

from weft.kit.extraction.folding import folded

MOST_CHARACTERS = 20_000
FEWEST_WORDS = 3
CLEARLY = 1.5
"""How many times more small words than of the next language."""

_WORDS = {
    "en": "the and of to for your you is are this with by from on invoice due date please total amount our we",
    "de": "der die das und von fur mit ist sie wir ihre den zu im bei auf rechnung datum betrag bitte zahlung mwst nr summe",
    "fr": "le la les des du de et pour vous votre est nous sur par une facture montant total tva paiement echeance reglement client",
    "nl": "de het een en van voor met op uw wij bij te zijn factuur bedrag btw datum totaal betalen aantal omschrijving",
    "es": "el la los las de del y para por su con una factura fecha importe iva total cliente pago vencimiento concepto",
    "it": "il la le di del della e per con su una fattura data importo iva totale cliente pagamento scadenza imponibile spett",
    "pt": "o a os as de do da e para com uma fatura data valor iva total cliente pagamento vencimento",
}
_SMALL = {
    word: frozenset(name for name, words in _WORDS.items() if word in words.split())
    for words in _WORDS.values()
    for word in words.split()
}
_WORD = re.compile(r"[a-z]+")


def language_of(text: str) -> str | None:
    """The ISO code of the one language whose small words it has; None where that is not clear."""
    votes: Counter[str] = Counter()
    for word in set(_WORD.findall(folded(text[:MOST_CHARACTERS]))):
        for language in _SMALL.get(word, ()):
            votes[language] += 1
    (best, count), (_, next_count) = [*votes.most_common(2), ("", 0), ("", 0)][:2]
    return best if count >= FEWEST_WORDS and count >= CLEARLY * next_count else None
