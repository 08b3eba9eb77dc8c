/* workflow.c - see workflow.h */
#include "ui/workflow.h"

enum { SHOWN_PER_KIND = 10 };

static void
add_encoded(struct strbuf *out, struct str text, bool property)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		bool special = byte == '%' || byte == '\r' || byte == '\n' ||
		    (property && (byte == ':' || byte == ','));
		if (special)
			strbuf_addf(out, "%%%02X", (unsigned)byte);
		else
			strbuf_addc(out, byte);
	}
}

/* Lines stay lines; anything else that a terminal would obey is shown. */
void
workflow_add_message(struct strbuf *out, struct str text)
{
	while (text.len > 0) {
		struct strbuf line = {0};
		strbuf_add_escaped(&line, str_cut(text, '\n', &text));
		add_encoded(out, strbuf_str(&line), false);
		strbuf_adds(out, text.len > 0 ? "%0A" : "");
		strbuf_release(&line);
	}
}

void
workflow_add_property(struct strbuf *out, struct str text)
{
	struct strbuf line = {0};

	strbuf_add_escaped(&line, text);
	add_encoded(out, strbuf_str(&line), true);
	strbuf_release(&line);
}

/* The path from the root of the repository; false if it is not below it. */
static bool
path_of(struct strbuf *path, struct str name, struct str root,
    struct str below)
{
	if (str_is(name, "-") || name.len == 0)
		return false;
	if (name.data[0] != '/') {
		while (str_starts(name, STR("./")))
			name = str_sub(name, 2, name.len);
		strbuf_add(path, below);
		strbuf_add(path, name);
		return !str_starts(name, STR("../")) &&
		    !str_starts(below, STR("../"));
	}
	if (root.len == 0 || !str_starts(name, root) ||
	    name.len <= root.len + 1 || name.data[root.len] != '/')
		return false;
	strbuf_add(path, str_sub(name, root.len + 1, name.len));
	return true;
}

/* Columns count characters, and a span's length is in bytes. */
static uint32_t
end_column(const struct diags *diags, struct span span)
{
	const struct source *source = sources_get(diags->sources, span.source);
	struct str text = str_sub(source->text, span.offset, span.length);
	uint32_t column = span.column;

	for (size_t i = 0; i < text.len && text.data[i] != '\n'; i++)
		column += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return column;
}

static void
add_place(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct str root, struct str below)
{
	const struct source *source = diags->sources == NULL ? NULL :
	    sources_get(diags->sources, diag->span.source);
	struct strbuf path = {0};

	if (source != NULL && path_of(&path, source->name, root, below)) {
		strbuf_adds(out, "file=");
		workflow_add_property(out, strbuf_str(&path));
		strbuf_addf(out, ",line=%u,endLine=%u,col=%u,endColumn=%u,",
		    diag->span.line, diag->span.line, diag->span.column,
		    end_column(diags, diag->span));
	}
	strbuf_release(&path);
}

static void
add_one(struct strbuf *out, const struct diags *diags,
    const struct diag *diag, struct str root, struct str below)
{
	strbuf_adds(out, diag->severity == SEVERITY_ERROR ? "::error " :
	    "::warning ");
	add_place(out, diags, diag, root, below);
	strbuf_addf(out, "title=podform %s::", diag->code);
	workflow_add_message(out, diag->message);
	for (size_t i = 0; i < diag->hints.n; i++) {
		strbuf_adds(out, "%0Ahint: ");
		workflow_add_message(out, diag->hints.items[i]);
	}
	strbuf_addc(out, '\n');
}

static void
add_kind(struct strbuf *out, const struct diags *diags,
    enum severity severity, struct str root, struct str below)
{
	bool errors = severity == SEVERITY_ERROR;
	size_t n = errors ? diags->errors : diags->warnings, at = 0;
	size_t shown = n > SHOWN_PER_KIND ? SHOWN_PER_KIND - 1 : n;

	for (size_t i = 0; i < diags->list.n && at < shown; i++) {
		if (diags->list.items[i]->severity != severity)
			continue;
		add_one(out, diags, diags->list.items[i], root, below);
		at++;
	}
	if (shown < n)
		strbuf_addf(out, "::%s title=podform::and %zu more, see the "
		    "log\n", errors ? "error" : "warning", n - shown);
}

void
workflow_annotate(struct strbuf *out, const struct diags *diags,
    struct str root, struct str below)
{
	add_kind(out, diags, SEVERITY_ERROR, root, below);
	add_kind(out, diags, SEVERITY_WARNING, root, below);
}
