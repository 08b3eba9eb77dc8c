/*
 * fuzz_spec.c - YAML to resources: a spec, or at least one diagnostic, and
 * each can be printed.
 *
 * What is accepted means the same in another layout, each resource is found
 * by its address, and what it needs is there, too.
 */
#include <errno.h>

#include "base/diag.h"
#include "spec/spec.h"
#include "tests/fuzz/fuzz.h"

/* There are no files: the spec comes by standard input. */
static int
no_open(void *ctx, const char *path, unsigned flags, unsigned mode)
{
	(void)ctx, (void)path, (void)flags, (void)mode;
	return -ENOENT;
}

static int
no_stat(void *ctx, const char *path, bool follow, struct fs_info *info)
{
	(void)ctx, (void)path, (void)follow, (void)info;
	return -ENOENT;
}

static int
no_resolve(void *ctx, struct arena *arena, const char *path, struct str *out)
{
	(void)ctx, (void)arena, (void)path, (void)out;
	return -ENOENT;
}

static struct str
environment(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'H' ? STR("/home/u") : (struct str){0};
}

struct loaded {
	struct sources sources;
	struct diags diags;
	const struct spec *spec;
};

static void
load(struct arena *arena, struct str text, struct loaded *out)
{
	static const struct fs fs = {
		.open = no_open, .stat = no_stat, .resolve = no_resolve,
	};
	static const struct str path = STR_INIT("-");
	struct spec_options options = {
		.fs = &fs, .paths = &path, .npaths = 1,
		.stdin_text = text, .environment = environment,
	};

	*out = (struct loaded){ .sources = { .arena = arena } };
	out->diags = (struct diags){ .arena = arena,
	    .sources = &out->sources };
	out->spec = spec_load(arena, &options, &out->sources, &out->diags);
	assert((out->spec == NULL) == (out->diags.errors > 0));
}

/* Every place is within the text, on the line that it says. */
static void
check_places(const struct loaded *loaded, struct str text)
{
	for (size_t i = 0; i < loaded->diags.list.n; i++) {
		const struct diag *diag = loaded->diags.list.items[i];
		uint32_t line = 1;
		if (diag->span.source == 0)
			continue;
		assert(diag->span.offset <= text.len);
		assert(diag->span.length <= text.len - diag->span.offset);
		for (size_t at = 0; at < diag->span.offset; at++)
			line += text.data[at] == '\n';
		/* A lone carriage return ends a line of YAML, too. */
		if (str_find(text, '\r') < 0)
			assert(line == diag->span.line);
		assert(diag->span.column >= 1);
	}
}

static void
check_resources(const struct spec *spec)
{
	for (size_t i = 0; i < spec->nresources; i++) {
		const struct resource *resource = &spec->resources[i];
		assert(spec_find(spec, resource->address) == resource);
		for (size_t j = 0; j < resource->nneeds; j++)
			assert(resource->needs[j] != NULL &&
			    resource->needs[j] != resource);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct strbuf out = {0};
	struct str text = { (const char *)data, size };
	struct loaded first, second;

	load(&arena, text, &first);
	check_places(&first, text);
	diags_print(&out, &first.diags, (struct diag_style){0});
	fuzz_assert_shown(strbuf_str(&out), true);
	if (first.spec != NULL) {
		check_resources(first.spec);
		/* A comment before all of it says nothing. */
		load(&arena, arena_printf(&arena, "# layout\n%.*s",
		    (int)size, (const char *)data), &second);
		if (str_starts(text, STR("\xef\xbb\xbf")) ||
		    str_starts(text, STR("%")))
			assert(second.spec == NULL || size > 0);
		else
			assert(second.spec != NULL &&
			    str_eq(spec_digest(&arena, first.spec),
			    spec_digest(&arena, second.spec)));
	}
	strbuf_release(&out);
	arena_release(&arena);
	return 0;
}
