"""{% url %}, {% translate %}, {% blocktranslate %} and {% extends %} as in Django, at a part of their price.

Every template has them (settings.TEMPLATES)."""

from django.template import Library, Node
from django.template.base import FilterExpression, TextNode, Variable
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockContext, BlockNode, ExtendsNode, do_extends
from django.templatetags.i18n import BlockTranslateNode, TranslateNode, do_block_translate, do_translate
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from .addresses import address
from .pure import do_pure


class QuickURLNode(URLNode):
    """The same address for the same name and arguments. The admin's depend on where one is, and go Django's way."""

    child_nodelists = ()

    def render(self, context):
        if self.kwargs:
            return super().render(context)
        view_name = self.view_name.resolve(context)
        if self.asvar or not isinstance(view_name, str) or view_name.startswith("admin:"):
            return super().render(context)
        found = address(view_name, *[arg.resolve(context) for arg in self.args])
        return conditional_escape(found) if context.autoescape else found


def url(parser, token):
    node = django_url(parser, token)
    return QuickURLNode(node.view_name, node.args, node.kwargs, node.asvar)


class QuickTranslateNode(Node):
    """Words that stand in the template: one look into the catalogue for each language."""

    child_nodelists = ()

    def __init__(self, node: TranslateNode):
        self.asvar, node.asvar = node.asvar, None
        self.node = node
        self.words: dict[tuple, str] = {}

    def render(self, context):
        key = get_language(), context.autoescape
        words = self.words.get(key)
        if words is None:
            words = self.words[key] = self.node.render(context)
        if self.asvar is None:
            return words
        context[self.asvar] = words
        return ""


def translate(parser, token):
    node = do_translate(parser, token)
    constant = _is_constant(node.filter_expression) and _is_constant(node.message_context)
    return QuickTranslateNode(node) if constant else node


class QuickBlockTranslateNode(BlockTranslateNode):
    """What is looked for in the catalogue stands in the template; Django puts it together anew each time."""

    def render_token_list(self, tokens):
        known = vars(self).setdefault("_known", {})
        if id(tokens) not in known:  # the node holds its two lists of tokens for ever
            known[id(tokens)] = super().render_token_list(tokens)
        words, names = known[id(tokens)]
        return words, list(names)


def block_translate(parser, token):
    node = do_block_translate(parser, token)
    node.__class__ = QuickBlockTranslateNode
    return node


def _is_constant(expression: FilterExpression | None) -> bool:
    if expression is None:
        return True
    said = expression.var.literal if isinstance(expression.var, Variable) else expression.var
    return isinstance(said, str) and not expression.filters


class QuickExtendsNode(ExtendsNode):
    """Django looks for the blocks of the outermost template each time it is extended. They are always the same."""

    def render(self, context):
        parent = self.get_parent(context)
        blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
        if blocks is None:
            blocks = context.render_context[BLOCK_CONTEXT_KEY] = BlockContext()
        blocks.add_blocks(self.blocks)
        if not hasattr(parent, "outermost_blocks"):
            parent.outermost_blocks = _blocks_of_outermost(parent)
        if parent.outermost_blocks is not None:
            blocks.add_blocks(parent.outermost_blocks)
        with context.render_context.push_state(parent, isolated_context=False):
            return parent._render(context)


def _blocks_of_outermost(template) -> dict[str, BlockNode] | None:
    first = next((node for node in template.nodelist if not isinstance(node, TextNode)), None)
    if first is None or isinstance(first, ExtendsNode):
        return None
    return {node.name: node for node in template.nodelist.get_nodes_by_type(BlockNode)}


def extends(parser, token):
    node = do_extends(parser, token)
    return QuickExtendsNode(node.nodelist, node.parent_name)


register = Library()
register.tag("extends", extends)
register.tag("url", url)
register.tag("pure", do_pure)
