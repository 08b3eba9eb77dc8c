/* expected.c - see expected.h */
#include "expected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void
write_file(const char *path, struct str text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(text.data, 1, text.len, file) != text.len ||
	    fclose(file) != 0)
		fail_msg("cannot write %s", path);
}

static bool
read_file(const char *path, struct strbuf *out)
{
	FILE *file = fopen(path, "r");
	char block[4096];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		strbuf_add(out, (struct str){ block, n });
	fclose(file);
	return true;
}

/* Say which line differs first. */
static void
show_difference(const char *path, struct str want, struct str have)
{
	unsigned line = 0;

	for (;;) {
		struct str a = str_cut(want, '\n', &want);
		struct str b = str_cut(have, '\n', &have);
		line++;
		if (!str_eq(a, b))
			fail_msg("%s:%u:\n  want: " STR_FMT "\n  have: "
			    STR_FMT "\n(UPDATE=1 writes what is there now)",
			    path, line, STR_ARG(a), STR_ARG(b));
		if (want.len == 0 && have.len == 0)
			fail_msg("%s: the texts differ at their end", path);
	}
}

void
expected_same(const char *name, struct str want, struct str have)
{
	if (!str_eq(want, have))
		show_difference(name, want, have);
}

void
expected_text(const char *name, struct str text)
{
	const char *update = getenv("UPDATE");
	struct strbuf want = {0};
	char path[256];

	snprintf(path, sizeof(path), "tests/unit/expected/%s", name);
	if (update != NULL && strcmp(update, "1") == 0) {
		write_file(path, text);
		return;
	}
	if (!read_file(path, &want))
		fail_msg("cannot read %s (UPDATE=1 writes it)", path);
	if (!str_eq(strbuf_str(&want), text))
		show_difference(path, strbuf_str(&want), text);
	strbuf_release(&want);
}
