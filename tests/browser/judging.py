"""What axe says of the page that is open: on a phone and at a desk, in the light and in the dark."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
# Which rules, and of which paints the answer is known (see READY) from the same light at the other width: no width changes
# a colour (tests/frame/test_templates.py). In the dark only the rules about colours can find what they did not find in the
# light; and what comes to lie upon something else at a desk is judged there in the light.
LOOKS = [
    (PHONE, "light", None, "none"),
    (PHONE, "dark", COLOUR_RULES, "none"),
    (DESK, "light", None, "what flows"),
    (DESK, "dark", COLOUR_RULES, "all"),
]
# Whether colours contrast takes axe longest, so it is asked about one of all that are painted alike: with the same colours
# and letters of their own and of all they lie in, axe says the same. Only what has passed speaks for others; and what is
# taken out of the flow, and may lie on something else, is like nothing else.
READY = """() => {
  const known = {light: new Set(), dark: new Set()};  // the paints that need not be asked about
  const told = new Set();
  const moved = new Map();
  let paints = new Map(), passed = known.light;
  const number = element => moved.get(element) ?? moved.set(element, moved.size).size - 1;
  const paint = element => {
    if (!element) return "";
    if (!paints.has(element)) {
      const style = getComputedStyle(element);
      const own = ["absolute", "fixed", "sticky"].includes(style.position) || style.transform !== "none"
        ? `moved ${number(element)}`
        : [
            element.localName, style.color, style.backgroundColor, style.backgroundImage, style.opacity,
            style.fontSize, style.fontWeight, style.textShadow, style.textDecorationLine, style.mixBlendMode,
            style.filter, style.borderBottomStyle, style.borderBottomColor,
          ].join(" ");
      paints.set(element, `${paint(element.parentElement)} > ${own}`);
    }
    return paints.get(element);
  };
  const contrast = axe._audit.checks["color-contrast"], evaluate = contrast.evaluate;
  contrast.evaluate = function (element, ...more) {
    const painted = paint(element);
    if (passed.has(painted)) return true;
    const answer = evaluate.call(this, element, ...more);
    if (answer !== undefined) (answer ? passed : told).add(painted);
    return answer;
  };
  const speaks = element => element.matches("a, input, textarea, select, button")
    || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  window.judgeAnew = (scheme, kept) => {
    paints = new Map();
    passed = known[scheme];
    told.forEach(painted => known.dark.add(painted));
    told.clear();
    if (kept === "none") passed.clear();
    if (kept === "what flows") passed.forEach(painted => painted.includes("> moved") && passed.delete(painted));
  };
  window.nothingNew = () => [...document.body.querySelectorAll(":not(option)")].every(
    element => !speaks(element) || !element.checkVisibility({visibilityProperty: true}) || passed.has(paint(element)));
}"""
ASK = """async ({rules, scheme, kept}) => {
  const options = {
    resultTypes: ["violations"],  // what passes is told by one node, not by all
    preload: {assets: ["media"]},  // no rule that is asked reads style sheets; fetching them breaks the policy
  };
  if (rules) options.runOnly = {type: "rule", values: rules};
  judgeAnew(scheme, kept);
  const width = document.documentElement.scrollWidth - window.innerWidth;
  if (kept === "all" && nothingNew()) return {looked: 0, faults: [], beyond: width};
  const said = await axe.run(document, options);
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
        page.evaluate(READY)
    # Django's own admin pages colour by width, too
    of_ours = not page.url.partition("://")[2].partition("/")[2].startswith("admin/")
    for size, scheme, rules, kept in LOOKS:
        if page.viewport_size != size:
            page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        kept = kept if of_ours else "none"
        answer = page.evaluate(ASK, {"rules": rules, "scheme": scheme, "kept": kept})
        assert answer["looked"] or kept == "all", f"axe looked at nothing on {where}"
        found += [f"{where} at {size['width']} px, {scheme}: {fault}" for fault in answer["faults"]]
        if scheme == "light" and answer["beyond"] > 0:
            found.append(f"{where} at {size['width']} px is {answer['beyond']} px too wide")
    page.emulate_media(color_scheme="light")
    return found
