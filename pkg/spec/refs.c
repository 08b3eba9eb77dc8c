/* refs.c - see refs.h */
#include "spec/refs.h"

#include <string.h>

#include "spec/codes.h"
#include "spec/fields.h"
#include "spec/yaml.h"

/*
 * The value that is expanded.  refs->raw gathers all of it, refs->text what
 * follows the last part; refs->found has one entry per part that is no text.
 */
struct expansion {
	struct refs *refs;
	struct str value;
	struct span span;
	unsigned allowed;
	bool ok;
	/* How far place() has come: byte of the value, place in the file. */
	size_t passed;
	struct span at;
};

bool
refs_any(struct str value)
{
	const char *at = value.data, *end = value.data + value.len;

	while (at != NULL && at < end &&
	    (at = memchr(at, '$', (size_t)(end - at))) != NULL) {
		if (at + 1 < end && at[1] == '{')
			return true;
		at++;
	}
	return false;
}

/*
 * Where byte `at` of the value, a `$`, stands in the file.  Quotes, folding
 * and indentation may lie between value and file, but the dollars are the
 * same and in the same order.  It goes on from where it was asked last, so
 * that many references take one walk.
 */
static struct span
place(struct expansion *x, size_t at, size_t length)
{
	const struct source *source = sources_get(x->refs->sources,
	    x->span.source);
	size_t wanted = 0;

	if (source == NULL)
		return x->span;
	if (at < x->passed || x->passed == 0) {
		x->passed = 0;
		x->at = x->span;
	}
	for (size_t i = x->passed; i < at; i++)
		wanted += x->value.data[i] == '$';
	size_t end = (size_t)x->span.offset + x->span.length;
	for (; x->at.offset < end && x->at.offset < source->text.len;
	    x->at.offset++) {
		char byte = source->text.data[x->at.offset];
		if (byte == '$' && wanted-- == 0) {
			x->passed = at;
			x->at.length = (uint32_t)length;
			return x->at;
		}
		if (byte == '\n') {
			x->at.line++;
			x->at.column = 1;
		} else if (((unsigned char)byte & 0xc0) != 0x80) {
			x->at.column++;
		}
	}
	x->passed = 0;
	return x->span;
}

static bool
is_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_';
		if (!ok)
			return false;
	}
	return text.len > 0;
}

static void
bad(struct expansion *x, const char *code, size_t at, size_t length,
    const char *words, struct str what)
{
	x->ok = false;
	diag_error(x->refs->diags, code, place(x, at, length),
	    "%s'" STR_FMT "'", words,
	    STR_ARG(yaml_brief(x->refs->diags, what)));
}

static void
hint_forms(struct expansion *x)
{
	diag_hint(x->refs->diags, "references are ${env.NAME}, ${var.NAME}, "
	    "${secret.NAME} and ${pod.NAME.OUTPUT}; for a `${` of a shell "
	    "write `$${`");
}

static void
add_plain(struct expansion *x, struct str text)
{
	strbuf_add(&x->refs->raw, text);
	strbuf_add(&x->refs->text, text);
}

/* --var and the environment. */
static void
add_known(struct expansion *x, bool env, struct str name, size_t at,
    size_t length)
{
	const struct spec_options *options = x->refs->options;
	struct str value = {0};
	uint32_t code;

	if (env && options->environment != NULL)
		value = options->environment(options->environment_ctx,
		    arena_cstr(x->refs->scratch, name));
	for (size_t i = options->nvariables; !env && i > 0; i--) {
		if (str_eq(options->variables[i - 1].name, name)) {
			value = options->variables[i - 1].value;
			break;
		}
	}
	if (value.data == NULL) {
		bad(x, E_REF_UNKNOWN, at, length,
		    env ? "no environment variable " : "no variable ", name);
		if (env)
			diag_hint(x->refs->diags, "export " STR_FMT
			    "=... before podform runs", STR_ARG(name));
		else
			diag_hint(x->refs->diags, "give it with --var "
			    STR_FMT "=VALUE", STR_ARG(name));
	} else if (yaml_find_forbidden(value, &code) >= 0) {
		bad(x, E_CHARACTER, at, length, "a character that cannot be "
		    "shown is in the value of ", name);
	} else {
		add_plain(x, value);
	}
}

static void
flush_text(struct expansion *x)
{
	if (x->refs->text.len == 0)
		return;
	struct text_part *part = ARENA_PUSH(x->refs->scratch, &x->refs->parts);
	part->type = PART_TEXT;
	part->text = arena_str(x->refs->arena, strbuf_str(&x->refs->text));
	strbuf_reset(&x->refs->text);
}

static void
add_part(struct expansion *x, struct text_part part,
    struct address address, size_t at, struct str whole)
{
	flush_text(x);
	*ARENA_PUSH(x->refs->scratch, &x->refs->parts) = part;
	struct ref *ref = ARENA_PUSH(x->refs->scratch, &x->refs->found);
	ref->span = place(x, at, whole.len);
	ref->address = address;
	strbuf_add(&x->refs->raw, whole);
}

static void
add_secret(struct expansion *x, struct str name, size_t at,
    struct str whole)
{
	if (!(x->allowed & FIELD_SECRETS)) {
		bad(x, E_REF_PLACE, at, whole.len,
		    "a secret cannot be used here: ", whole);
		diag_hint(x->refs->diags, "secrets go into env, setup, "
		    "process and checks");
		return;
	}
	add_part(x, (struct text_part){ .type = PART_SECRET,
	    .text = arena_str(x->refs->arena, name) },
	    (struct address){0}, at, whole);
}

/* `pod.trainer[0].ssh.host`: the address ends at the second dot. */
static void
add_output(struct expansion *x, struct str body, size_t at,
    struct str whole)
{
	struct str output, rest;
	struct str kind = str_cut(body, '.', &rest);
	struct str name = str_cut(rest, '.', &output);
	struct str text = { body.data, kind.len + 1 + name.len };
	struct address address;

	if (rest.data == NULL || output.data == NULL || output.len == 0 ||
	    !address_parse(text, &address)) {
		bad(x, E_REF_SYNTAX, at, whole.len, "not a reference: ",
		    whole);
		hint_forms(x);
		return;
	}
	if (!(x->allowed & FIELD_OUTPUTS)) {
		bad(x, E_REF_PLACE, at, whole.len,
		    "an output cannot be used here: ", whole);
		diag_hint(x->refs->diags, "outputs go into env, setup, "
		    "process and checks");
		return;
	}
	add_part(x, (struct text_part){ .type = PART_OUTPUT,
	    .text = arena_str(x->refs->arena, output),
	    .address = arena_str(x->refs->arena, text) }, address, at, whole);
}

/* The reference `whole`, which begins at byte `at` of the value. */
static void
add_reference(struct expansion *x, size_t at, struct str whole)
{
	struct str body = str_sub(whole, 2, whole.len - 3);
	struct str rest, first = str_cut(body, '.', &rest);
	bool env = str_is(first, "env"), var = str_is(first, "var");

	if (body.len == 0) {
		bad(x, E_REF_SYNTAX, at, whole.len, "an empty reference: ",
		    whole);
		hint_forms(x);
	} else if ((env || var) && is_word(rest)) {
		add_known(x, env, rest, at, whole.len);
	} else if (str_is(first, "secret") && is_word(rest)) {
		add_secret(x, rest, at, whole);
	} else if (env || var || str_is(first, "secret")) {
		bad(x, E_REF_SYNTAX, at, whole.len, "a name is made of "
		    "letters, digits and _, unlike in ", whole);
	} else {
		add_output(x, body, at, whole);
	}
}

/* Copy parts out and remember what must be checked later. */
static void
finish(struct expansion *x, struct text *out)
{
	struct refs *refs = x->refs;
	size_t n = 0;

	out->span = x->span;
	out->raw = arena_str(refs->arena, strbuf_str(&refs->raw));
	if (refs->found.n == 0)
		return;
	flush_text(x);
	out->nparts = refs->parts.n;
	out->parts = ARENA_ARRAY(refs->arena, struct text_part, out->nparts);
	memcpy(out->parts, refs->parts.items,
	    out->nparts * sizeof *out->parts);
	for (size_t i = 0; i < out->nparts; i++) {
		if (out->parts[i].type == PART_TEXT)
			continue;
		struct ref *ref = ARENA_PUSH(refs->scratch, &refs->later);
		*ref = refs->found.items[n++];
		ref->part = &out->parts[i];
	}
}

bool
refs_expand(struct refs *refs, struct str value, struct span span,
    unsigned allowed, struct text *out)
{
	struct expansion x = { .refs = refs, .value = value, .span = span,
		.allowed = allowed, .ok = true };

	strbuf_reset(&refs->raw);
	strbuf_reset(&refs->text);
	refs->parts.n = refs->found.n = 0;
	for (size_t at = 0; at < value.len; ) {
		if (refs->diags->errors >= ERRORS_MAX)
			break;
		struct str rest = str_sub(value, at, value.len);
		ptrdiff_t dollar = str_find(rest, '$');
		if (dollar != 0) {
			struct str text = dollar < 0 ? rest
			    : str_sub(rest, 0, (size_t)dollar);
			add_plain(&x, text);
			at += text.len;
		} else if (str_starts(rest, STR("$${"))) {
			add_plain(&x, STR("${"));
			at += 3;
		} else if (!str_starts(rest, STR("${"))) {
			add_plain(&x, STR("$"));
			at++;
		} else {
			ptrdiff_t end = str_find(rest, '}');
			if (end < 0) {
				bad(&x, E_REF_SYNTAX, at, 2,
				    "a reference is not closed by `}`: ",
				    str_sub(rest, 0, 40));
				hint_forms(&x);
				break;
			}
			struct str whole = str_sub(rest, 0, (size_t)end + 1);
			add_reference(&x, at, whole);
			at += whole.len;
		}
	}
	if (x.ok)
		finish(&x, out);
	return x.ok;
}

void
refs_release(struct refs *refs)
{
	strbuf_release(&refs->raw);
	strbuf_release(&refs->text);
}
