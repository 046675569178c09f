"""What the demo world is made of: invented companies of ten countries, with their places, people and trades."""

from typing import NamedTuple


class Trade(NamedTuple):
    sic: str
    description: str
    fewest: int
    most: int
    revenue_each: int


class Country(NamedTuple):
    name: str
    dialling: str
    currency: str
    form: tuple[str, str]
    number_kind: str
    places: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    people: tuple[str, ...]
    companies: tuple[str, ...]


TRADES = {
    "steel": Trade("3312", "Steel works and rolling mills", 120, 9_000, 310_000),
    "machine": Trade("3559", "Special industry machinery", 40, 4_000, 210_000),
    "chemical": Trade("2819", "Industrial inorganic chemicals", 60, 6_500, 420_000),
    "pharma": Trade("2834", "Pharmaceutical preparations", 80, 12_000, 480_000),
    "food": Trade("2099", "Food preparations", 25, 5_000, 190_000),
    "wine": Trade("2084", "Wines, brandy and brandy spirits", 8, 400, 160_000),
    "textile": Trade("2211", "Broadwoven fabric mills, cotton", 30, 3_500, 90_000),
    "software": Trade("7372", "Prepackaged software", 6, 2_500, 170_000),
    "transport": Trade("4213", "Trucking, except local", 20, 8_000, 140_000),
    "shipping": Trade("4412", "Deep sea foreign transportation of freight", 50, 3_000, 390_000),
    "build": Trade("1542", "Nonresidential construction", 15, 6_000, 200_000),
    "energy": Trade("4911", "Electric services", 30, 7_000, 640_000),
    "retail": Trade("5411", "Grocery stores", 40, 30_000, 120_000),
    "wholesale": Trade("5085", "Industrial supplies, wholesale", 10, 900, 350_000),
    "parts": Trade("3714", "Motor vehicle parts and accessories", 90, 15_000, 180_000),
    "chips": Trade("3674", "Semiconductors and related devices", 60, 9_000, 330_000),
}

COUNTRIES = {
    "US": Country(
        "United States",
        "1",
        "USD",
        ("Inc.", "Corporation"),
        "Federal Taxpayer Identification Number (US)",
        (
            ("Cleveland", "Ohio", "44114"),
            ("Austin", "Texas", "78701"),
            ("Portland", "Oregon", "97205"),
            ("Newark", "New Jersey", "07102"),
        ),
        ("Lakeside Avenue", "Congress Street", "Industrial Parkway", "Commerce Drive"),
        ("Karen Whitfield", "Marcus Doyle", "Angela Ruiz", "Thomas Becker"),
        (
            "Harlan Ridge Steel|steel",
            "Bluewater Freight Lines|transport",
            "Cascade Analytics|software",
            "Prairie Gold Foods|food",
            "Summit Peak Builders|build",
            "Ironbridge Components|parts",
            "Northfield Therapeutics|pharma",
            "Lone Star Process Chemicals|chemical",
            "Redwood Grid Energy|energy",
            "Delmar Industrial Supply|wholesale",
            "Great Plains Machinery|machine",
            "Harbor Point Markets|retail",
            "Copper Canyon Semiconductor|chips",
            "Old Dominion Textiles|textile",
            "Tidewater Ocean Carriers|shipping",
        ),
    ),
    "GB": Country(
        "United Kingdom",
        "44",
        "GBP",
        ("Ltd", "Private limited company"),
        "Company Registration Number (UK)",
        (
            ("Sheffield", "South Yorkshire", "S1 2HE"),
            ("Bristol", "Avon", "BS1 4DJ"),
            ("Leeds", "West Yorkshire", "LS1 5AB"),
            ("London", "Greater London", "EC2V 7HN"),
        ),
        ("Kingsway", "Victoria Road", "Mill Lane", "Wharf Street"),
        ("Helen Ashworth", "David Pryce", "Olivia Barton", "Imran Qureshi"),
        (
            "Ashcombe Forge|steel",
            "Pennine Haulage|transport",
            "Thornbury Software|software",
            "Wessex Dairy Foods|food",
            "Calder Valley Construction|build",
            "Midshires Auto Parts|parts",
            "Avonmouth Chemicals|chemical",
            "Fenland Renewable Power|energy",
            "Larkfield Pharma|pharma",
            "Trentham Bearings & Tools|wholesale",
            "Harrogate Wool Mills|textile",
            "Solent Shipping|shipping",
            "Kestrel Machine Works|machine",
            "Greenacre Stores|retail",
            "Silverstream Vineyards|wine",
        ),
    ),
    "DE": Country(
        "Germany",
        "49",
        "EUR",
        ("GmbH", "Gesellschaft mit beschränkter Haftung"),
        "Handelsregister Number (DE)",
        (
            ("Hamburg", "Hamburg", "20457"),
            ("Stuttgart", "Baden-Württemberg", "70173"),
            ("Düsseldorf", "Nordrhein-Westfalen", "40213"),
            ("Leipzig", "Sachsen", "04109"),
        ),
        ("Industriestraße", "Hafenstraße", "Bahnhofstraße", "Am Alten Werk"),
        ("Jürgen Hölzer", "Sabine Krüger", "Matthias Vogt", "Anke Lindner"),
        (
            "Nordwind Logistik|transport",
            "Bergmann & Söhne Maschinenbau|machine",
            "Rheintal Chemie|chemical",
            "Schwarzwald Präzisionsteile|parts",
            "Elbtor Schifffahrt|shipping",
            "Sachsenstahl|steel",
            "Lindenhof Lebensmittel|food",
            "Hochrhein Energie|energy",
            "Kaltenbach Bau|build",
            "Isarblick Software|software",
            "Weser Pharma|pharma",
            "Vogtland Textil|textile",
            "Moselkellerei Adler|wine",
            "Ostsee Handelskontor|wholesale",
            "Mikrowerk Halbleiter|chips",
        ),
    ),
    "FR": Country(
        "France",
        "33",
        "EUR",
        ("SAS", "Société par actions simplifiée"),
        "SIREN Number (FR)",
        (
            ("Lyon", "Auvergne-Rhône-Alpes", "69002"),
            ("Bordeaux", "Nouvelle-Aquitaine", "33000"),
            ("Lille", "Hauts-de-France", "59000"),
            ("Nantes", "Pays de la Loire", "44000"),
        ),
        ("Rue de la République", "Avenue des Tilleuls", "Quai du Port", "Rue du Faubourg"),
        ("Élodie Marchand", "François Lefèvre", "Camille Perrin", "Hugo Delmas"),
        (
            "Aciéries de la Loire|steel",
            "Transports Marchand|transport",
            "Laboratoires Valmont|pharma",
            "Domaine de Beaulieu|wine",
            "Maison Perrin Alimentation|food",
            "Constructions Delmas|build",
            "Numérique Azur|software",
            "Chimie du Rhône|chemical",
            "Énergies de l'Ouest|energy",
            "Tissages du Nord|textile",
            "Équipements Garonne|machine",
            "Comptoir Industriel Lillois|wholesale",
            "Marchés Saint-Michel|retail",
            "Pièces Auto Bretagne|parts",
            "Armement Nantais|shipping",
        ),
    ),
    "IT": Country(
        "Italy",
        "39",
        "EUR",
        ("S.r.l.", "Società a responsabilità limitata"),
        "Codice Fiscale (IT)",
        (
            ("Torino", "Piemonte", "10121"),
            ("Bologna", "Emilia-Romagna", "40121"),
            ("Verona", "Veneto", "37121"),
            ("Genova", "Liguria", "16121"),
        ),
        ("Via Garibaldi", "Corso Italia", "Via del Lavoro", "Viale Europa"),
        ("Giulia Moretti", "Paolo Ferraris", "Chiara Bellini", "Luca Santoro"),
        (
            "Acciaierie Moretti|steel",
            "Cantine Bellavista|wine",
            "Officine Meccaniche Ferraris|machine",
            "Pastificio Santa Chiara|food",
            "Tessitura Lariana|textile",
            "Autotrasporti Adige|transport",
            "Ligure Navigazione|shipping",
            "Costruzioni Po|build",
            "Farmaceutici Galvani|pharma",
            "Chimica Emiliana|chemical",
            "Ricambi Torino|parts",
            "Software Laguna|software",
            "Energia Appennino|energy",
            "Forniture Industriali Verona|wholesale",
            "Mercati Riuniti|retail",
        ),
    ),
}
