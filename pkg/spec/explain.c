/* explain.c - the field tables for people: podform explain, the reference */
#include <string.h>

#include "base/strbuf.h"
#include "spec/decode.h"

/* ---------------------------------------------------------- wrapped text */

/* Words of text from column `indent` on, within width columns. */
static void
wrap(struct strbuf *out, const char *words, size_t indent, size_t width)
{
	struct str rest = str_from(words);
	size_t column = 0;

	if (width < indent + 20)
		width = indent + 20;
	while (rest.data != NULL) {
		struct str word = str_cut(rest, ' ', &rest);
		if (word.len == 0)
			continue;
		if (column == 0 || column + 1 + word.len > width) {
			if (column > 0)
				strbuf_addc(out, '\n');
			strbuf_pad(out, indent, ' ');
			column = indent;
		} else {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_add(out, word);
		column += word.len;
	}
	strbuf_addc(out, '\n');
}

/* What a value must be, in words: "a list of 1 to 32 texts". */
static struct str
type_words(struct arena *arena, const struct field *field)
{
	struct str item;

	switch (field->type) {
	case FIELD_LIST:
	case FIELD_ONE_OR_LIST:
		item = field_words(arena, field, field->items);
		if (field->items == FIELD_TEXT)
			item = STR("texts");
		else if (field->items == FIELD_PORT)
			item = STR("ports");
		return arena_printf(arena, "%sa list of at most %lld: "
		    STR_FMT, field->type == FIELD_LIST ? "" : "one, or ",
		    (long long)field->max, STR_ARG(item));
	case FIELD_STRUCT_LIST:
		return arena_printf(arena, "a list of at most %lld mappings",
		    (long long)field->max);
	case FIELD_MAP:
		return arena_printf(arena, "a mapping of names to %s",
		    field->items == FIELD_STRUCT ? "mappings" : "texts");
	default:
		if (field->form != NULL && field->type == FIELD_TEXT)
			return arena_printf(arena, "a text that %s",
			    field->form->words);
		return field_words(arena, field, field->type);
	}
}

/* ------------------------------------------------------------- explain -- */

static void
bold(struct strbuf *out, const char *text, bool color)
{
	strbuf_addf(out, "%s%s%s", color ? "\033[1m" : "", text,
	    color ? "\033[0m" : "");
}

/* "pods.NAME.ready" and its field; NULL when the path is not known. */
static const struct field *
find_path(struct str path, const struct field **fields)
{
	const struct field *found = NULL;

	*fields = top_fields;
	while (path.data != NULL && path.len > 0) {
		struct str name = str_cut(path, '.', &path);
		const struct field *table = *fields;
		found = NULL;
		for (; table != NULL && table->name != NULL; table++)
			if (str_is(name, table->name))
				break;
		if (table == NULL || table->name == NULL)
			return NULL;
		found = table;
		*fields = table->fields;
	}
	return found;
}

static void
explain_field(struct strbuf *out, struct arena *arena,
    const struct field *field, bool color, size_t width)
{
	struct str type = type_words(arena, field);

	strbuf_adds(out, "  ");
	bold(out, field->name, color);
	if (field->flags & FIELD_REQUIRED)
		strbuf_adds(out, "  (required)");
	strbuf_addc(out, '\n');
	wrap(out, type.data, 6, width);
	wrap(out, field->help, 6, width);
	if (field->fallback != NULL)
		strbuf_addf(out, "      default: %s\n", field->fallback);
	if (field->effect != EFFECT_NONE)
		strbuf_addf(out, "      a change: %s\n",
		    effect_word(field->effect));
	if (field->flags & FIELD_SECRETS)
		wrap(out, "may hold ${secret.NAME} and outputs such as "
		    "${pod.NAME.ssh.host}", 6, width);
	if (field->later != NULL)
		wrap(out, arena_printf(arena, "not yet: %s",
		    field->later).data, 6, width);
	if (field->example != NULL)
		strbuf_addf(out, "      example: %s: %s\n", field->name,
		    field->example);
}

static void
explain_outputs(struct strbuf *out, enum kind kind)
{
	strbuf_addf(out, "\nOutputs, as ${%s.NAME.OUTPUT}:\n",
	    kind_name(kind));
	for (const struct output *output = kind_outputs(kind); output->name;
	    output++)
		strbuf_addf(out, "  %-14s %s\n", output->name, output->help);
}

static void
explain_top(struct strbuf *out, bool color, size_t width)
{
	strbuf_adds(out, "A spec file has these sections:\n\n");
	for (const struct field *field = top_fields; field->name; field++) {
		strbuf_adds(out, "  ");
		bold(out, field->name, color);
		strbuf_addc(out, '\n');
		wrap(out, field->help, 6, width);
	}
	strbuf_addc(out, '\n');
	wrap(out, "More: podform explain pod, podform explain pod.gpu, "
	    "podform explain settings", 0, width);
}

/* A kind's name stands for its section: pod.gpu is pods.gpu. */
static struct str
full_path(struct arena *arena, struct str path)
{
	enum kind kind;
	struct str rest;
	struct str first = str_cut(path, '.', &rest);

	if (!kind_parse(first, &kind) && !str_is(first, "secret"))
		return path;
	return arena_printf(arena, STR_FMT "s%s" STR_FMT, STR_ARG(first),
	    rest.data != NULL ? "." : "", STR_ARG(rest));
}

bool
fields_explain(struct strbuf *out, struct str path, bool color, int width)
{
	size_t columns = width > 0 ? (size_t)width : 80;
	struct arena arena = {0};
	const struct field *fields;
	bool found = true;

	if (path.len == 0) {
		explain_top(out, color, columns);
		return true;
	}
	const struct field *field = find_path(full_path(&arena, path),
	    &fields);
	if (field == NULL) {
		found = false;
	} else if (fields == NULL) {
		explain_field(out, &arena, field, color, columns);
	} else {
		bold(out, field->name, color);
		strbuf_addc(out, '\n');
		wrap(out, field->help, 2, columns);
		if (field->later != NULL)
			strbuf_addf(out, "  not yet: %s\n", field->later);
		strbuf_addc(out, '\n');
		for (; fields->name != NULL; fields++)
			explain_field(out, &arena, fields, color, columns);
		for (size_t kind = 0; kind < KIND_COUNT; kind++)
			if (field->fields == kind_fields((enum kind)kind))
				explain_outputs(out, (enum kind)kind);
	}
	arena_release(&arena);
	return found;
}

/* ----------------------------------------------------------- reference -- */

/* Text of a table cell: bars would end it. */
static void
cell(struct strbuf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '|')
			strbuf_addc(out, '\\');
		strbuf_addc(out, text.data[i]);
	}
}

static void
reference_row(struct strbuf *out, struct arena *arena,
    const struct field *field)
{
	bool required = field->flags & FIELD_REQUIRED;

	strbuf_addf(out, "| `%s`%s | ", field->name,
	    required ? " (required)" : "");
	cell(out, type_words(arena, field));
	strbuf_adds(out, " | ");
	if (field->fallback != NULL)
		strbuf_addf(out, "`%s`", field->fallback);
	strbuf_addf(out, " | %s | ", effect_word(field->effect));
	cell(out, str_from(field->help));
	if (field->later != NULL)
		strbuf_addf(out, " *Not yet: %s.*", field->later);
	strbuf_adds(out, " |\n");
}

static void
reference_table(struct strbuf *out, struct arena *arena, struct str path,
    const struct field *fields)
{
	strbuf_addf(out, "\n## `" STR_FMT "`\n\n", STR_ARG(path));
	strbuf_adds(out, "| Field | Value | Default | A change | Meaning |\n"
	    "| --- | --- | --- | --- | --- |\n");
	for (const struct field *f = fields; f->name != NULL; f++)
		reference_row(out, arena, f);
	strbuf_adds(out, "\n```yaml\n");
	for (const struct field *f = fields; f->name != NULL; f++)
		if (f->example != NULL)
			strbuf_addf(out, "%s: %s\n", f->name, f->example);
	strbuf_adds(out, "```\n");
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->fields == NULL || (fields == defaults_fields))
			continue;
		reference_table(out, arena, arena_printf(arena,
		    STR_FMT "%s%s%s", STR_ARG(path), path.len > 0 ? "." : "",
		    f->name, f->type == FIELD_MAP ? ".NAME" : ""),
		    f->fields);
	}
}

void
fields_reference(struct strbuf *out)
{
	struct arena arena = {0};

	strbuf_adds(out, "# The spec, field by field\n\n"
	    "Made from the field tables in `pkg/spec/fields.c`; `podform "
	    "explain` shows the same.\n\n"
	    "Sizes are whole GB as RunPod counts them (`50GB`), durations "
	    "`90s`, `10m`, `4h`, `1h30m`, `7d`, prices US dollars per hour. "
	    "Whole numbers, `true` and `false` are written without quotes; "
	    "everything else may have them. Any value may hold "
	    "`${env.NAME}` and `${var.NAME}`; `$${` stands for `${` itself.\n"
	    "\n\"A change\" says what becomes of a pod that is there when the "
	    "field changes: *in place*; *restart*, in place, but the "
	    "container is made anew and its disk wiped; *replace*, a new pod; "
	    "*none*, it concerns only podform.\n\n"
	    "## Sections of a file\n\n"
	    "| Section | Meaning |\n| --- | --- |\n");
	for (const struct field *field = top_fields; field->name; field++)
		strbuf_addf(out, "| `%s` | %s |\n", field->name, field->help);
	for (const struct field *field = top_fields; field->name; field++)
		if (field->fields != NULL)
			reference_table(out, &arena, arena_printf(&arena,
			    "%s%s", field->name, field->type == FIELD_MAP
			    ? ".NAME" : ""), field->fields);
	strbuf_adds(out, "\n## Outputs\n\n| Output | Meaning |\n"
	    "| --- | --- |\n");
	for (size_t kind = 0; kind < KIND_COUNT; kind++)
		for (const struct output *output =
		    kind_outputs((enum kind)kind); output->name; output++)
			strbuf_addf(out, "| `${%s.NAME.%s}` | %s |\n",
			    kind_name((enum kind)kind), output->name,
			    output->help);
	arena_release(&arena);
}
