/*
 * fuzz_markdown.c - a saved plan that somebody else has written, as Markdown:
 * whatever is in it, nothing breaks out, and it is no longer than it may be.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "tests/fuzz/markdown_check.h"
#include "ui/plan_file.h"
#include "ui/plan_markdown.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct str text = { (const char *)data, size }, line = {0};
	struct strbuf out = {0};
	struct plan_file file;

	if (plan_file_parse(&arena, text, STR("plan.json"), &file, &diags)) {
		size_t max = PLAN_MARKDOWN_BYTES_MIN + size * 7 % 50000;
		plan_markdown(&out, file.plan,
		    &(struct plan_markdown_options){ .sources = file.sources,
		    .binding = &file.binding, .commit = file.binding.plan_id,
		    .file = file.binding.account, .max_bytes = max });
		assert(!out.failed && out.len <= max);
		fuzz_assert_shown(strbuf_str(&out), true);
		const char *wrong = markdown_wrong(strbuf_str(&out), &line);
		if (wrong != NULL) {
			printf("%s: " STR_FMT "\n", wrong, STR_ARG(line));
			abort();
		}
	}
	strbuf_release(&out);
	arena_release(&arena);
	return 0;
}
