/*
 * fuzz_refs.c - `${...}` in texts: expanded as a second, plain reading of
 * the rules would have it, and never read twice.
 *
 * The input is values of two variables and the text, divided by 0xff.
 */
#include "tests/fuzz/fuzz.h"

#include "base/diag.h"
#include "spec/fields.h"
#include "spec/refs.h"
#include "spec/yaml.h"

struct values {
	struct str env, var;
};

static struct str
environment(void *ctx, const char *name)
{
	const struct values *values = ctx;
	return strcmp(name, "E") == 0 ? values->env : (struct str){0};
}

/* Shown as a secret or output is: what it is, between bytes of no text. */
static struct str
lookup(void *ctx, const struct text_part *part)
{
	struct arena *arena = ctx;
	if (part->type == PART_SECRET)
		return arena_printf(arena, "\xfe" "s" STR_FMT "\xfe",
		    STR_ARG(part->text));
	return arena_printf(arena, "\xfeo" STR_FMT "." STR_FMT "\xfe",
	    STR_ARG(part->address), STR_ARG(part->text));
}

/*
 * The rules once more, with another structure: the text is split at each
 * `${`, and what stands before it is looked at for the dollar that undoes
 * it.  Of references only those of env, var and secret are known here; false
 * for any other, and for mistakes.
 */
static bool
expect(struct arena *arena, struct strbuf *out, struct str text,
    const struct values *values)
{
	ptrdiff_t at;

	while ((at = str_search(text, STR("${"))) >= 0) {
		struct str before = str_sub(text, 0, (size_t)at);
		bool undone = str_ends(before, STR("$"));
		text = str_sub(text, (size_t)at + 2, text.len);
		if (undone) {
			strbuf_add(out, str_sub(before, 0, before.len - 1));
			strbuf_adds(out, "${");
			continue;
		}
		ptrdiff_t end = str_find(text, '}');
		if (end < 0)
			return false;
		struct str body = str_sub(text, 0, (size_t)end);
		text = str_sub(text, (size_t)end + 1, text.len);
		strbuf_add(out, before);
		uint32_t code;
		struct str value = str_is(body, "env.E") ? values->env
		    : str_is(body, "var.V") ? values->var
		    : (struct str){0};
		if (str_is(body, "secret.S"))
			value = STR("\xfesS\xfe");
		else if (value.data == NULL ||
		    yaml_find_forbidden(value, &code) >= 0)
			return false;
		strbuf_add(out, value);
	}
	strbuf_add(out, text);
	(void)arena;
	return true;
}

static void
check(struct arena *arena, struct str value, struct values *values,
    unsigned allowed)
{
	struct variable variable = { STR("V"), values->var };
	struct spec_options options = {
		.environment = environment, .environment_ctx = values,
		.variables = &variable, .nvariables = 1,
	};
	struct sources sources = { .arena = arena };
	struct diags diags = { .arena = arena, .sources = &sources };
	struct refs refs = { .arena = arena, .scratch = arena,
		.options = &options, .sources = &sources, .diags = &diags };
	struct strbuf want = {0}, out = {0};
	struct text text = {0};
	struct str got;
	struct span span = { .source = sources_add(&sources, STR("s.yaml"),
	    value), .line = 1, .column = 1, .length = (uint32_t)value.len };

	bool ok = refs_expand(&refs, value, span, allowed, &text);
	assert(ok == (diags.errors == 0));
	bool expected = expect(arena, &want, value, values);
	if (!refs_any(value))
		assert(ok && str_eq(text.raw, value) && text.nparts == 0);
	if (expected && (allowed & FIELD_SECRETS))
		assert(ok);
	if (ok) {
		bool all = text_resolve(arena, &text, lookup, arena, &got);
		assert(all);
		/* Outputs are what the plain reading does not know. */
		if (expected)
			assert(str_eq(got, strbuf_str(&want)));
		else
			assert(text_has(&text, PART_OUTPUT) ||
			    str_search(value, STR("secret.")) >= 0);
		if (text.nparts == 0)
			assert(str_eq(got, text.raw));
	}
	/* Every mistake has its place, and is shown. */
	diags_print(&out, &diags, (struct diag_style){0});
	fuzz_assert_shown(strbuf_str(&out), true);
	strbuf_release(&want);
	strbuf_release(&out);
	refs_release(&refs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct fuzz in = { data, size };
	struct values values = {0};

	values.env = arena_str(&arena, fuzz_part(&in));
	values.var = arena_str(&arena, fuzz_part(&in));
	struct str value = fuzz_rest(&in);
	check(&arena, value, &values, FIELD_SECRETS | FIELD_OUTPUTS);
	check(&arena, value, &values, 0);
	arena_release(&arena);
	return 0;
}
