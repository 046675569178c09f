"""Companies that D&B knows and no list of the demo holds: they are found by name, and can be added."""

from direct_plus.sandbox.demo import companies
from direct_plus.sandbox.demo.tables import COUNTRIES
from direct_plus.sandbox.state.companies import Document

# Every fourth company of another world of the same kind lends its place, trade and figures.
APART = 4
STEMS = {
    "US": ("Larkfield Instruments", "Bramble & Stone", "Castlegate Foods", "Morrow Valley Packaging"),
    "GB": ("Penhallow Marine", "Silver Birch Textiles", "Oakhurst Controls", "Tideway Logistics"),
    "DE": ("Birkental Maschinenbau", "Lindenhof Backwaren", "Rabenstein Optik", "Falkenau Präzision"),
    "FR": ("Beaurivage", "Vallombreuse Emballages", "Rochefleur"),
    "IT": ("Torrebianca", "Valdoro Meccanica", "Pietranera", "Casalunga"),
    "NL": ("Hoogland Zuivel", "Waterkant Transport", "Veldhoek", "Duinrand"),
    "JP": ("Kamigawa", "Hoshino Seiki", "Midorino", "Asahara"),
    "BR": ("Rio Dourado", "Itapema Alimentos", "Montealto"),
    "IN": ("Narmada Castings", "Shivalik Polymers", "Malwa Tools", "Deccan Spices"),
    "SE": ("Skogsberg", "Vinterholm", "Norrsken Teknik", "Ekerö Livs"),
}


def build(seed: int, day: str) -> list[Document]:
    lent = companies.build(seed + 1, day)[::APART]
    stems = {code: iter(names) for code, names in STEMS.items()}
    return [_renamed(one, stem) for one in lent if (stem := next(stems[one["countryISOAlpha2Code"]], None))]


def _renamed(document: Document, stem: str) -> Document:
    duns, name = document["duns"], f"{stem} {COUNTRIES[document['countryISOAlpha2Code']].form[0]}"
    itself = {"duns": duns, "primaryName": name}
    linkage = {"globalUltimate": itself, "domesticUltimate": itself, "globalUltimateFamilyTreeMembersCount": 1}
    return {**document, "primaryName": name, "registeredName": name, "websiteAddress": [], "corporateLinkage": linkage}
