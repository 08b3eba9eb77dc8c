/*
 * fuzz_spec.c - YAML to resources: a spec, or at least one diagnostic that
 * can be printed.
 */
#include "base/diag.h"
#include "spec/spec.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fs fs = {
		.open = no_open, .stat = no_stat, .resolve = no_resolve,
	};
	struct str path = STR("-");
	struct spec_options options = {
		.fs = &fs, .paths = &path, .npaths = 1,
		.stdin_text = { (const char *)data, size },
		.environment = environment,
	};
	struct arena arena = {0};
	struct sources sources = { .arena = &arena };
	struct diags diags = { .arena = &arena, .sources = &sources };
	struct strbuf out = {0};

	const struct spec *spec = spec_load(&arena, &options, &sources,
	    &diags);
	assert((spec == NULL) == (diags.errors > 0));
	diags_print(&out, &diags, (struct diag_style){0});
	strbuf_release(&out);
	arena_release(&arena);
	return 0;
}
