/* test_ui_plan_json.c - a plan as JSON, and read back from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "expected.h"
#include "sample_plan.h"
#include "ui/plan_file.h"
#include "ui/plan_text.h"

static struct str target = STR_INIT("pod.trainer");
static struct variable variable = { STR_INIT("size"), STR_INIT("b\"ig") };

static struct plan_binding
binding(void)
{
	return (struct plan_binding){
		.version = STR("0.1.0"),
		.plan_id = STR("0123456789abcdef0123456789abcdef"),
		.lineage = STR("fedcba9876543210fedcba9876543210"),
		.account = STR("user_1"), .serial = 41,
		.spec_digest = STR("sha256:6c1f2a9e00112233"),
		.live_digest = STR("sha256:aa"),
		.plan_digest = STR("sha256:bb"),
		.created_ms = SAMPLE_NOW_MS,
		.expires_ms = SAMPLE_NOW_MS + 3600000,
		.refresh = true, .targets = &target, .ntargets = 1,
		.variables = &variable, .nvariables = 1,
	};
}

static struct strbuf
document(struct arena *arena, struct sources *sources,
    const struct plan *plan)
{
	struct plan_binding bound = binding();
	struct strbuf out = {0};

	(void)arena;
	plan_json(&out, plan, &(struct plan_json_options){
	    .binding = &bound, .sources = sources });
	return out;
}

static void
test_plan_json_has_every_field_in_order(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(&arena, &sources);
	struct strbuf out = document(&arena, &sources, plan);
	struct json doc;
	struct json_error error;

	(void)state;
	assert_true(json_parse(&arena, strbuf_str(&out),
	    (struct json_limits){0}, &doc, &error));
	expected_text("plan_full.json", strbuf_str(&out));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_json_writes_no_live_value_of_a_secret(void **state)
{
	struct arena arena = {0};
	struct plan *plan = sample_plan_empty(&arena);
	struct plan_change *change = ARENA_PUSH(&arena, &plan->changes);
	struct plan_attr *attr = ARENA_PUSH(&arena, &change->attrs);
	struct sources sources = { .arena = &arena };
	struct strbuf out;

	(void)state;
	change->op = PLAN_UPDATE;
	change->address = STR("pod.x");
	change->undo = "none";
	attr->path = STR("env.TOKEN");
	attr->before = STR("\"hunter2hunter2\"");
	attr->after = STR("\"${secret.TOKEN}\"");
	attr->sensitive = true;
	out = document(&arena, &sources, plan);
	assert_null(strstr(out.data, "hunter2"));
	assert_non_null(strstr(out.data, "\"${secret.TOKEN}\""));
	strbuf_release(&out);
	arena_release(&arena);
}

static void
test_plan_file_shows_the_same_text_again(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct plan *plan = sample_plan_full(&arena, &sources);
	struct strbuf json = document(&arena, &sources, plan);
	struct diags diags = { .arena = &arena };
	struct plan_file file;
	struct plan_text_options options = {
		.style = { .width = 80 }, .sources = &sources,
		.spec_digest = STR("sha256:6c1f2a9e00112233445566"),
		.now_ms = SAMPLE_NOW_MS,
	};
	struct strbuf before = {0}, after = {0};

	(void)state;
	/* A file knows a suspect as one of the unmanaged. */
	plan->cost.unmanaged_pods = 1;
	plan->cost.unmanaged_volumes = 0;
	plan_text(&before, plan, &options);
	assert_true(plan_file_parse(&arena, strbuf_str(&json), STR("p"),
	    &file, &diags));
	options.sources = file.sources;
	plan_text(&after, file.plan, &options);
	expected_same("the plan of the file", strbuf_str(&before),
	    strbuf_str(&after));
	assert_int_equal(file.binding.serial, 41);
	assert_int_equal(file.binding.created_ms, SAMPLE_NOW_MS);
	assert_true(str_is(file.binding.targets[0], "pod.trainer"));
	assert_true(str_is(file.binding.variables[0].value, "b\"ig"));
	assert_true(file.binding.refresh);
	strbuf_release(&before);
	strbuf_release(&after);
	strbuf_release(&json);
	arena_release(&arena);
}

/* Is a file with this text whole?  What it says if not. */
static bool
is_whole(const char *text, const char *part)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct plan_file file;

	assert_true(plan_file_parse(&arena, str_from(text), STR("p.json"),
	    &file, &diags));
	bool whole = plan_file_check(&file, STR("p.json"), &diags);
	assert_int_equal(diags.errors, !whole);
	if (!whole) {
		assert_string_equal(diags.last->code, "PF0705");
		if (str_search(diags.last->message, str_from(part)) < 0)
			fail_msg("'%s' is not in '" STR_FMT "'", part,
			    STR_ARG(diags.last->message));
	}
	arena_release(&arena);
	return whole;
}

/* Without the blanks outside of strings, as other tools would lay it out. */
static char *
packed(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len + 1), *to = out;
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' && text.data[i - 1] != '\\')
			inside = !inside;
		if (inside || (c != ' ' && c != '\n'))
			*to++ = c;
	}
	*to = '\0';
	return out;
}

static void
test_plan_file_holds_together_however_it_is_laid_out(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct strbuf json = document(&arena, &sources,
	    sample_plan_full(&arena, &sources));

	(void)state;
	assert_true(is_whole(json.data, ""));
	assert_true(is_whole(packed(&arena, strbuf_str(&json)), ""));
	/* The same letter, spelt otherwise. */
	char *at = strstr(json.data, "pod.trainer");
	assert_non_null(at);
	struct str other = arena_printf(&arena, "%.*s\\u0070%s",
	    (int)(at - json.data), json.data, at + 1);
	assert_true(is_whole(other.data, ""));
	strbuf_release(&json);
	arena_release(&arena);
}

/* Each digit and each truth that stands anywhere in it, one at a time. */
static void
test_plan_file_that_was_edited_does_not_hold_together(void **state)
{
	struct arena arena = {0};
	struct sources sources = {0};
	struct strbuf json = document(&arena, &sources,
	    sample_plan_full(&arena, &sources));
	size_t read = 0;

	(void)state;
	for (size_t i = 0; i < json.len; i++) {
		struct diags diags = { .arena = &arena };
		struct plan_file file;
		char was = json.data[i];
		if (was < '1' || was > '9')
			continue;
		json.data[i] = was == '9' ? '8' : (char)(was + 1);
		if (plan_file_parse(&arena, strbuf_str(&json), STR("p"),
			&file, &diags)) {
			read++;
			if (file.whole)
				fail_msg("byte %zu, '%.30s'", i,
				    json.data + i);
		}
		json.data[i] = was;
	}
	assert_true(read > 100);
	/* An action that is told as another one, and one that is left out. */
	char *action = strstr(json.data, "[\"create\"]");
	assert_non_null(action);
	memcpy(action, "[\"delete\"]", 10);
	assert_false(is_whole(json.data, "was changed after podform wrote"));
	memcpy(action, "[\"create\"]", 10);
	assert_true(is_whole(json.data, ""));
	char *seal = strstr(json.data, "content_digest");
	memcpy(seal, "content_digesx", 14);
	assert_false(is_whole(json.data, "has no content_digest"));
	strbuf_release(&json);
	arena_release(&arena);
}

static void
check_refused(const char *text, const char *code, const char *part)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct plan_file file;

	assert_false(plan_file_parse(&arena, str_from(text), STR("p.json"),
	    &file, &diags));
	assert_int_equal(diags.errors, 1);
	assert_string_equal(diags.last->code, code);
	if (str_search(diags.last->message, str_from(part)) < 0)
		fail_msg("'%s' is not in '" STR_FMT "'", part,
		    STR_ARG(diags.last->message));
	arena_release(&arena);
}

static void
test_plan_file_refuses_what_is_not_a_plan(void **state)
{
	(void)state;
	check_refused("", "PF0701", "is not a saved plan");
	check_refused("{\"format_version\":\"1.0\",", "PF0701", "at byte");
	check_refused("[]", "PF0701", "is not a saved plan");
	check_refused("{\"format_version\":\"2.0\"}", "PF0702",
	    "format 2.0, and this podform reads 1.0");
	check_refused("{\"format_version\":\"1.7\"}", "PF0701", "serial");
	check_refused("{\"format_version\":\"1.0\",\"serial\":-1}", "PF0701",
	    "serial");
	check_refused("{\"format_version\":\"1.0\",\"serial\":1,\"mode\":"
	    "\"normal\",\"created\":\"today\"}", "PF0701", "created");
	check_refused("{\"format_version\":\"1.0\",\"serial\":1,\"mode\":"
	    "\"normal\",\"created\":\"2026-11-21T12:04:31Z\","
	    "\"resource_changes\":[{\"kind\":\"pod\",\"change\":{\"actions\":"
	    "[\"explode\"]}}]}", "PF0701", "known actions");
}

static void
test_plan_file_ignores_members_of_later_minors(void **state)
{
	struct arena arena = {0};
	struct diags diags = { .arena = &arena };
	struct plan_file file;

	(void)state;
	assert_true(plan_file_parse(&arena, STR("{\"format_version\":\"1.9\","
	    "\"serial\":1,\"mode\":\"destroy\",\"new\":[{}],"
	    "\"created\":\"2026-11-21T12:04:31Z\"}"), STR("p"), &file,
	    &diags));
	assert_int_equal(file.binding.mode, PLAN_DESTROY);
	assert_true(file.plan->empty);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_json_has_every_field_in_order),
		cmocka_unit_test(
		    test_plan_json_writes_no_live_value_of_a_secret),
		cmocka_unit_test(test_plan_file_shows_the_same_text_again),
		cmocka_unit_test(
		    test_plan_file_holds_together_however_it_is_laid_out),
		cmocka_unit_test(
		    test_plan_file_that_was_edited_does_not_hold_together),
		cmocka_unit_test(test_plan_file_refuses_what_is_not_a_plan),
		cmocka_unit_test(
		    test_plan_file_ignores_members_of_later_minors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
