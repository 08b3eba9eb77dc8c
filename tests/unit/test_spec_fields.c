/*
 * test_spec_fields.c - what is made from the field tables.
 *
 * The pages and the schema in docs/ are compared with what the tables make
 * today; UPDATE=1 writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "spec/codes.h"
#include "spec/fields.h"

static void
is_file(const char *path, void (*make)(struct strbuf *out))
{
	struct strbuf made = {0}, read = {0};
	char piece[4096];
	size_t n;

	make(&made);
	FILE *file = fopen(path, getenv("UPDATE") != NULL ? "w+" : "r");
	assert_non_null(file);
	if (getenv("UPDATE") != NULL) {
		assert_int_equal(fwrite(made.data, 1, made.len, file),
		    made.len);
		rewind(file);
	}
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		strbuf_add(&read, (struct str){ piece, n });
	fclose(file);
	if (!str_eq(strbuf_str(&made), strbuf_str(&read)))
		fail_msg("%s is not what the tables make: run the tests with "
		    "UPDATE=1", path);
	strbuf_release(&made);
	strbuf_release(&read);
}

static void
test_fields_make_the_reference(void **state)
{
	(void)state;
	is_file("docs/reference.md", fields_reference);
}

static void
test_fields_make_the_schema(void **state)
{
	(void)state;
	is_file("docs/podform.schema.json", fields_schema);
}

static void
test_codes_rise(void **state)
{
	(void)state;
	for (size_t i = 1; spec_codes[i].code != NULL; i++)
		assert_true(strcmp(spec_codes[i - 1].code,
		    spec_codes[i].code) < 0);
}

static void
explains(const char *path, bool known, const char *part)
{
	struct strbuf out = {0};

	assert_int_equal(fields_explain(&out, str_from(path), false, 60),
	    known);
	if (known && strstr(out.data, part) == NULL)
		fail_msg("explain %s: no '%s' in\n%s", path, part, out.data);
	struct str rest = strbuf_str(&out);
	while (known && rest.data != NULL) {
		struct str line = str_cut(rest, '\n', &rest);
		/* Examples are shown as they are written. */
		if (str_search(line, STR("example:")) < 0)
			assert_in_range(line.len, 0, 60);
	}
	strbuf_release(&out);
}

static void
test_explain_finds_kinds_and_fields(void **state)
{
	(void)state;
	explains("", true, "  volumes\n");
	explains("pod.disk", true,
	    "  disk\n"
	    "      a size from 1GB to 20000GB\n"
	    "      Container disk. It is wiped when the pod stops or its\n"
	    "      container is made anew.\n"
	    "      default: 20GB\n"
	    "      a change: restart\n"
	    "      example: disk: 50GB\n");
	explains("pods.setup.copy.from", true, "relative path");
	explains("pod", true, "Outputs, as ${pod.NAME.OUTPUT}:\n");
	explains("pod.lease", true, "not yet: leases are not kept yet");
	explains("settings.budget", true, "per_hour  (required)");
	explains("defaults.pod.gpu", true, "order of preference");
	explains("secret", true, "command");
	explains("pod.nothing", false, "");
	explains("pod.disk.more", false, "");
	explains("nothing", false, "");
}

static void
each_field(const struct field *fields, int depth)
{
	assert_true(depth < 6);
	for (const struct field *f = fields; f->name != NULL; f++) {
		assert_non_null(f->help);
		assert_non_null(f->example);
		assert_true(f - fields < 32);
		if (f->type == FIELD_CHOICE)
			assert_non_null(f->choices);
		if (f->fields != NULL && f->fields != pod_fields)
			each_field(f->fields, depth + 1);
	}
}

static void
test_fields_are_whole(void **state)
{
	(void)state;
	each_field(top_fields, 0);
	each_field(pod_fields, 0);
	for (size_t i = 0; i < POD_FIELD_COUNT; i++)
		assert_int_equal(pod_fields[i].bit, i + 1);
	assert_string_equal(effect_word(pod_fields[POD_FIELD_IMAGE].effect),
	    "restart");
	assert_string_equal(effect_word(pod_fields[POD_FIELD_GPU].effect),
	    "replace");
	assert_string_equal(effect_word(pod_fields[POD_FIELD_NAME].effect),
	    "in place");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_make_the_reference),
		cmocka_unit_test(test_fields_make_the_schema),
		cmocka_unit_test(test_codes_rise),
		cmocka_unit_test(test_explain_finds_kinds_and_fields),
		cmocka_unit_test(test_fields_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
