"""Makes TenonetSans.ttf from DejaVuSans.ttf: `pip install fonttools && python subset.py DejaVuSans.ttf TenonetSans.ttf`."""

import sys
from fontTools import subset
from fontTools.ttLib import TTFont

CHARACTERS = [
    *range(0x20, 0x7F),  # ASCII
    *range(0xA0, 0x100),  # Latin-1: letters of the west of Europe, ×, ·, ±, ½, ², ³
    *range(0x100, 0x180),  # Latin Extended-A: of its middle
    *range(0x391, 0x3A2), *range(0x3A3, 0x3CA),  # Greek
    *map(ord, "ϑϕϵ"),
    *map(ord, "ỹŷẑẋẍȳ"),  # letters with the marks of formulas, each one character
    *map(ord, "–—‘’“”•…′″‖"),
    *map(ord, "⁰¹⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵀ₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₒₓₖₙₘᵢⱼ"),
    *map(ord, "←↑→↓↔⇒∂∆∇∈∏∑−∓∘√∝∞∥∧∨∩∪∫≈≠≡≤≥≪≫⋅⋆∗ℓℝ⊙⊕⊗⟨⟩"),
]

source, target = sys.argv[1:]
options = subset.Options(layout_features=["kern"], hinting=False, legacy_kern=True, glyph_names=False, notdef_outline=True)
options.name_IDs = []
options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB", "MATH"]
options.recalc_timestamp = False
font = TTFont(source, recalcTimestamp=False)
missing = sorted(set(CHARACTERS) - set(font.getBestCmap()))
print("not in the source:", "".join(map(chr, missing)))
worker = subset.Subsetter(options)
worker.populate(unicodes=CHARACTERS)
worker.subset(font)

names = font["name"]
names.names = []
for number, text in {
    0: "Copyright (c) 2003 by Bitstream, Inc. All Rights Reserved. Copyright (c) 2006 by Tavmjong Bah. DejaVu changes are in public domain",
    1: "Tenonet Sans", 2: "Book", 3: "Tenonet Sans", 4: "Tenonet Sans", 5: "Version 1", 6: "TenonetSans",
}.items():
    names.setName(text, number, 3, 1, 0x409)
font.save(target)
print(len(font.getGlyphOrder()), "glyphs")
