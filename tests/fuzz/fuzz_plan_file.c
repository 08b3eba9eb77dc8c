/*
 * fuzz_plan_file.c - a saved plan that somebody else has written: refused
 * with a reason, or shown without a control byte, and written again.
 */
#include "tests/fuzz/fuzz.h"

#include "base/diag.h"
#include "base/json.h"
#include "ui/plan_file.h"
#include "ui/plan_text.h"

static void
check_shown(struct arena *arena, const struct plan_file *file, unsigned how)
{
	struct plan_text_options options = {
		.style = { .width = 40 + (int)how % 100, .uncut = how & 1 },
		.sources = file->sources,
		.spec_digest = file->binding.spec_digest,
		.now_ms = how & 2 ? 1795000000000 : 0,
		.concise = how & 4,
	};
	struct strbuf out = {0};

	plan_text(&out, file->plan, &options);
	assert(!out.failed);
	fuzz_assert_shown(strbuf_str(&out), true);
	assert(str_search(strbuf_str(&out), STR("Plan:")) >= 0 ||
	    str_search(strbuf_str(&out), STR("No changes")) >= 0);
	strbuf_release(&out);
	(void)arena;
}

/* As JSON it is a plan again, and that one is written the same. */
static void
check_written(struct arena *arena, const struct plan_file *file)
{
	struct plan_json_options options = {
		.binding = &file->binding, .sources = file->sources,
	};
	struct strbuf first = {0}, second = {0};
	struct diags diags = { .arena = arena };
	struct plan_file again;

	plan_json(&first, file->plan, &options);
	bool ok = plan_file_parse(arena, strbuf_str(&first), STR("p"), &again,
	    &diags);
	assert(ok && again.whole);
	options.binding = &again.binding;
	options.sources = again.sources;
	plan_json(&second, again.plan, &options);
	assert(str_eq(strbuf_str(&first), strbuf_str(&second)));
	strbuf_release(&first);
	strbuf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct str text = { (const char *)data, size };
	struct strbuf out = {0};
	struct plan_file file;

	if (plan_file_parse(&arena, text, STR("plan.json"), &file, &diags)) {
		assert(diags.errors == 0);
		check_shown(&arena, &file, data[size / 2]);
		check_written(&arena, &file);
	} else {
		assert(diags.errors > 0);
	}
	diags_print(&out, &diags, (struct diag_style){0});
	fuzz_assert_shown(strbuf_str(&out), true);
	strbuf_release(&out);
	arena_release(&arena);
	return 0;
}
