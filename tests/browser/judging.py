"""What axe says of the page that is open: on a phone and at a desk, in the light and in the dark."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AXE_AT = "/static/axe.min.js"  # a browser keeps it; half a megabyte would else be told to it for each page
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
# In which order, which rules, and of which paints the answer is known (see READY) from the same light at the other width:
# no width changes a colour (tests/frame/test_templates.py). In the dark only the rules about colours can find what they did
# not find in the light; and what comes to lie upon something else at a desk is judged there in the light.
LOOKS = [
    (PHONE, "light", None, "what flows"),
    (PHONE, "dark", COLOUR_RULES, "what flows"),
    (DESK, "dark", COLOUR_RULES, "all"),
    (DESK, "light", None, "what flows"),
]
# Whether colours contrast takes axe longest, so it is asked about one of all that are painted alike, be they on this page
# or on one that was judged before: with the same colours and letters of their own and of all they lie in, axe says the
# same. Only what has passed speaks for others; and what is taken out of the flow, and may lie on something else, is like
# nothing else, unless it has a ground of its own. Where nothing is new, axe need not look for colours at all.
PASSED = {"light": set(), "dark": set()}  # by this process, on pages of ours
READY = """async ({address, passed_before}) => {
  if (window.judged) return;
  await new Promise((loaded, failed) => {
    const script = Object.assign(document.createElement("script"), {src: address, onload: loaded, onerror: failed});
    document.head.append(script);
    script.remove();
  });
  const known = {};  // the paints that need not be asked about, by the light
  for (const scheme in passed_before) known[scheme] = new Set(passed_before[scheme].split(" "));
  const told = new Set();
  const moved = new Map();
  let paints = new Map(), passed = known.light, fresh = [], spared = 0;
  const number = element => moved.get(element) ?? moved.set(element, moved.size).size - 1;
  const mix = (words, seed) => {  // 53 bits of them
    let one = 0xdeadbeef ^ seed, two = 0x41c6ce57 ^ seed;
    for (let at = 0; at < words.length; at++) {
      const code = words.charCodeAt(at);
      one = Math.imul(one ^ code, 2654435761);
      two = Math.imul(two ^ code, 1597334677);
    }
    one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
    two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
    return (4294967296 * (2097151 & two) + (one >>> 0)).toString(36);
  };
  const says = element => {  // more than a comma, of which axe says nothing
    const words = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data);
    return words.join("").trim().length > 1;
  };
  const paint = element => {  // "moved" before it: of this page only
    if (!element) return "";
    if (!paints.has(element)) {
      const style = getComputedStyle(element), above = paint(element.parentElement);
      const leaves = ["absolute", "fixed", "sticky"].includes(style.position) || style.transform !== "none";
      const is_ground = style.opacity === "1" && style.backgroundImage === "none" && /^rgb\\(/.test(style.backgroundColor);
      const own = [
        element.localName, style.color, style.backgroundColor, style.backgroundImage, style.opacity,
        style.fontSize, style.fontWeight, style.textShadow, style.textDecorationLine, style.mixBlendMode,
        style.filter, style.borderBottomStyle, style.borderBottomColor,
        element.localName === "a" && says(element.parentElement), leaves && (is_ground || number(element)),
      ].join(" ");
      paints.set(element, (leaves && !is_ground || above.startsWith("moved") ? "moved" : "") + mix(above + own, 0));
    }
    return paints.get(element);
  };
  const rule = axe._audit.rules.find(one => one.id === "color-contrast"), matches = rule.matches;
  rule.matches = function (element, ...more) {
    if (!passed.has(paint(element))) return matches.call(this, element, ...more);
    spared += 1;
    return false;
  };
  const contrast = axe._audit.checks["color-contrast"], evaluate = contrast.evaluate;
  contrast.evaluate = function (element, ...more) {
    const painted = paint(element);
    if (passed.has(painted)) return true;
    const answer = evaluate.call(this, element, ...more);
    if (answer) {
      passed.add(painted);
      if (!painted.startsWith("moved")) fresh.push(painted);
    }
    if (answer === false) told.add(painted);
    return answer;
  };
  const is_seen = element => {
    if (!element.checkVisibility({visibilityProperty: true})) return false;
    for (let one = element; one; one = one.parentElement) if (getComputedStyle(one).clipPath === "inset(50%)") return false;
    return element.getBoundingClientRect().bottom + window.scrollY > 0;
  };
  const silent = ["hidden", "range", "color", "checkbox", "radio", "image"];
  const speaks = element => says(element)
    || element.matches("input, textarea, select") && !silent.includes(element.type);
  window.judgeAnew = (scheme, kept) => {
    paints = new Map();
    passed = known[scheme];
    fresh = [];
    spared = 0;
    told.forEach(painted => known.dark.add(painted));
    told.clear();
    if (kept === "none") passed.clear();
    if (kept === "what flows") passed.forEach(painted => painted.startsWith("moved") && passed.delete(painted));
  };
  window.nothingNew = () => [...document.body.querySelectorAll(":not(option)")].every(
    element => !speaks(element) || passed.has(paint(element)) || !is_seen(element));
  window.judged = () => ({spared, fresh: fresh.join(" ")});
}"""
ASK = """async ({rules, scheme, kept}) => {
  const options = {
    resultTypes: ["violations"],  // what passes is told by one node, not by all
    selectors: false,  // nor is it asked for: whoever reads of a fault sees the element
    iframes: false,  // axe is not in them, and would wait for itself to answer
    preload: {assets: ["media"]},  // no rule that is asked reads style sheets; fetching them breaks the policy
  };
  if (rules) options.runOnly = {type: "rule", values: rules};
  judgeAnew(scheme, kept);
  const width = document.documentElement.scrollWidth - window.innerWidth;
  if (rules && nothingNew()) return {looked: 1, fresh: "", faults: [], beyond: width};
  const said = await axe.run(document, options), {spared, fresh} = judged();
  return {
    looked: said.passes.length + spared,
    fresh,
    faults: said.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`),
    beyond: width,
  };
}"""


def faults_of(page: Page, where: str) -> list[str]:
    """Each fault that axe finds, with where, how wide and how lit; and by how much the page is too wide."""
    found = []
    passed_before = {scheme: " ".join(passed) for scheme, passed in PASSED.items()}
    page.evaluate(READY, {"address": AXE_AT, "passed_before": passed_before})
    # Django's own admin pages colour by width, too
    of_ours = not page.url.partition("://")[2].partition("/")[2].startswith("admin/")
    for size, scheme, rules, kept in LOOKS:
        if page.viewport_size != size:
            page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        kept = kept if of_ours else "none"
        answer = page.evaluate(ASK, {"rules": rules, "scheme": scheme, "kept": kept})
        assert answer["looked"], f"axe looked at nothing on {where}"
        if of_ours:
            PASSED[scheme].update(answer["fresh"].split())
        found += [f"{where} at {size['width']} px, {scheme}: {fault}" for fault in answer["faults"]]
        if scheme == "light" and answer["beyond"] > 0:
            found.append(f"{where} at {size['width']} px is {answer['beyond']} px too wide")
    return found
