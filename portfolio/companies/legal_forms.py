"""Legal forms of companies, and what else stands in many names: no company is found by them.

In the spelling of `words.folded`, without dots and spaces: “S.p.A.” is `spa`.
"""

from __future__ import annotations

FORMS = {
    "English": "ltd limited unlimited ulc llc lllp llp lp plc inc incorporated corp corporation co company cic pty pte "
    "pvt private proprietary",
    "German": "gmbh ggmbh gesmbh mbh ag kg kgaa ohg ug ev eg gbr cie haftungsbeschrankt haftungsbeschraenkt",
    "French": "sa sas sasu sarl eurl snc sci scop scs sca",
    "Italian": "spa sapa srl srls",
    "Spanish": "sl slu slne sau sc scl cv rl sociedad anonima limitada",
    "Portuguese": "ltda lda eireli me epp sociedade",
    "Dutch": "bv nv vof bvba cvba",
    "Nordic": "ab aktiebolag hb kb asa as aps is ivs oy oyj ky tmi ehf hf",
    "Baltic": "ou uab sia",
    "Slavic": "sp zoo oo spolka sk sro spol vos ks doo dd ad ead ood eood",
    "Hungarian": "kft zrt nyrt bt",
    "Greek": "ae epe ike αε επε ικε",
    "Turkish": "sti sirketi anonim",
    "Russian and Ukrainian": "ооо оао зао пао ао ип тов пат прат jsc ojsc cjsc pjsc",
    "Asian": "kk gk yk kabushiki kaisha sdn bhd berhad tbk pt",
    "Arabic": "fze fzco fzllc dmcc wll psc saoc saog",
    "European": "se sce eeig ewiv",
    "joining words": "and und et the",
}
LEGAL_FORMS = frozenset(form for forms in FORMS.values() for form in forms.split())
LEGAL_FORMS_WITHOUT_SPACES = frozenset(
    {
        *("株式会社", "有限会社", "合同会社", "合名会社", "合資会社", "(株)", "(有)"),
        *("股份有限公司", "有限责任公司", "有限責任公司", "有限公司", "股份公司", "集团公司"),
        *("주식회사", "유한회사", "(주)", "(유)"),
        *("บริษัท", "จำกัด", "มหาชน"),
    }
)
