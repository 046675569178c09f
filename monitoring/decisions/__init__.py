"""Reviews and decisions: which companies matter how much, when somebody looks at them again, and what was decided.

known, second_person < reviews < decide < trail; reviews < tiers < rules, mergers, tier_file < upload; these < work <
admin, api.
May import models, elements, company_page's parts, and the portfolio with its exposure and imports.
"""
