"""What axe says of the page that is open: on a phone and at a desk, in the light and in the dark."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
# In the dark only the rules about colours can find what they did not find in the light. At a desk in the dark they are
# asked about what the phone did not show so: no width changes a colour (tests/frame/test_templates.py), and what comes to
# lie upon something else at a desk has been judged there in the light.
LOOKS = [
    (PHONE, "light", "all"),
    (PHONE, "dark", "colours"),
    (DESK, "light", "all"),
    (DESK, "dark", "new colours"),
]
# In the dark one of all that are painted alike is asked about: with the same colours and letters of their own and of all
# they lie in, axe says the same. What is taken out of the flow, and may lie on something else, is like nothing else.
ASK = """async ({rules, fresh}) => {
  const shown = () => {
    axe.setup(document.documentElement);
    try {
      return [...document.body.querySelectorAll(":not(option)")].filter(axe.commons.dom.isVisibleOnScreen);
    } finally {
      axe.teardown();
    }
  };
  const paints = new Map();
  const paint = element => {
    if (!element) return "";
    if (!paints.has(element)) {
      const style = getComputedStyle(element);
      const own = ["absolute", "fixed", "sticky"].includes(style.position) || style.transform !== "none"
        ? `moved ${paints.size}`
        : [
            element.localName, style.color, style.backgroundColor, style.backgroundImage, style.opacity,
            style.fontSize, style.fontWeight, style.textShadow, style.textDecorationLine, style.mixBlendMode,
            style.filter, style.borderBottomStyle, style.borderBottomColor,
          ].join(" ");
      paints.set(element, `${paint(element.parentElement)} > ${own}`);
    }
    return paints.get(element);
  };
  const speaks = element => element.matches("a, input, textarea, select, button")
    || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const options = {
    resultTypes: ["violations"],  // what passes is told by one node, not by all
    preload: {assets: ["media"]},  // no rule that is asked reads style sheets; fetching them breaks the policy
  };
  if (rules) options.runOnly = {type: "rule", values: rules};
  let what = document;
  if (rules) {
    const known = window.paintsOnThePhone ??= new Set();
    if (!fresh) known.clear();
    what = shown().filter(element => {
      if (!speaks(element) || known.has(paint(element))) return false;
      known.add(paint(element));
      return true;
    });
  }
  const width = document.documentElement.scrollWidth - window.innerWidth;
  if (fresh && !what.length) return {looked: 0, faults: [], beyond: width};
  const said = await axe.run(rules ? {include: what} : what, options);
  return {
    looked: said.passes.length,
    faults: said.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`),
    beyond: width,
  };
}"""


def faults_of(page: Page, where: str) -> list[str]:
    """Each fault that axe finds, with where, how wide and how lit; and by how much the page is too wide."""
    found = []
    if not page.evaluate("!!window.axe"):
        page.evaluate(AXE)
    # Django's own admin pages colour by width, too
    of_ours = not page.url.partition("://")[2].partition("/")[2].startswith("admin/")
    for size, scheme, asked in LOOKS:
        if page.viewport_size != size:
            page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules = None if asked == "all" else COLOUR_RULES
        fresh = asked == "new colours" and of_ours
        answer = page.evaluate(ASK, {"rules": rules, "fresh": fresh})
        assert answer["looked"] or fresh, f"axe looked at nothing on {where}"
        found += [f"{where} at {size['width']} px, {scheme}: {fault}" for fault in answer["faults"]]
        if scheme == "light" and answer["beyond"] > 0:
            found.append(f"{where} at {size['width']} px is {answer['beyond']} px too wide")
    page.emulate_media(color_scheme="light")
    return found
