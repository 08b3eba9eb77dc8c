/*
 * test_spec_yaml.c - bytes that are no spec: what is said, and where.
 *
 * The names are those of the catalogue of bad inputs; the texts are compared
 * as a whole, place and all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "spec_world.h"

static const struct {
	const char *name;
	struct str text;
	const char *heads;
} cases[] = {
	{ "Y-02", STR_INIT(
	  "project: t\n"
	  "defaults: { pod: { cloud: any } }\n"
	  "pods:\n"
	  "  p:\n"
	  "    <<: *base\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"),
	  "a.yaml:5:5: error: merge keys are not supported [PF0105]\n"
	  "a.yaml:5:9: error: aliases are not supported [PF0105]\n" },
	{ "Y-03", STR_INIT(
	  "a: &a [x,x,x]\n"
	  "b: &b [*a,*a,*a]\n"
	  "c: &c [*b,*b]\n"),
	  "a.yaml:1:1: error: unknown field 'a' in a spec file [PF0103]\n"
	  "a.yaml:1:4: error: anchors are not supported [PF0105]\n"
	  "a.yaml:2:1: error: unknown field 'b' in a spec file [PF0103]\n"
	  "a.yaml:2:8: error: aliases are not supported [PF0105]\n"
	  "a.yaml:3:1: error: unknown field 'c' in a spec file [PF0103]\n" },
	{ "Y-04", STR_INIT(
	  "project: t\n"
	  "pods: &a [*a]\n"),
	  "a.yaml:2:7: error: anchors are not supported [PF0105]\n"
	  "a.yaml:2:11: error: aliases are not supported [PF0105]\n" },
	{ "Y-06", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    env:\n"
	  "\011MODE: x\n"),
	  "a.yaml:7:1: error: a tab cannot be used for indentation [PF0101]\n" },
	{ "Y-06b", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "\011  image: a:1\n"),
	  "a.yaml:4:1: error: a tab cannot be used for indentation [PF0101]\n" },
	{ "Y-06c", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  " \011gpu: A40\n"),
	  "a.yaml:5:2: error: a tab cannot be used for indentation [PF0101]\n" },
	{ "Y-09", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    args: fine\342\200\250replicas: 9\n"),
	  "a.yaml:6:15: error: the file holds a line separator that is "
	  "not seen (U+2028) [PF0102]\n" },
	{ "Y-10", STR_INIT(
	  "%YAML 1.2\n"
	  "---\n"
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"),
	  "" },
	{ "Y-10b", STR_INIT(
	  "%YAML 2.0\n"
	  "---\n"
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"),
	  "a.yaml:1:1: error: only YAML 1.1 and 1.2 are understood [PF0101]\n" },
	{ "Y-10c", STR_INIT(
	  "%TAG ! tag:x,2000:\n"
	  "---\n"
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"),
	  "a.yaml:1:1: error: tags are not supported [PF0105]\n" },
	{ "Y-10d", STR_INIT(
	  "%FOO bar\n"
	  "---\n"
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"),
	  "a.yaml:1:5: error: an unknown % directive [PF0101]\n" },
	{ "Y-11", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "---\n"
	  "project: u\n"),
	  "a.yaml:6:1: error: a second document begins; a file is one "
	  "document [PF0105]\n" },
	{ "Y-11b", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "...\n"),
	  "" },
	{ "Y-11c", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "--- {\n"),
	  "a.yaml:6:1: error: a second document begins; a file is one "
	  "document [PF0105]\n" },
	{ "Y-12a", STR_INIT(
	  ""),
	  "a.yaml:1:1: error: the spec is empty [PF0108]\n" },
	{ "Y-12b", STR_INIT(
	  "# only\n"
	  "# comments\n"),
	  "a.yaml:1:1: error: the spec is empty [PF0108]\n" },
	{ "Y-12c", STR_INIT(
	  "---\n"),
	  "a.yaml:1:1: error: the spec is empty [PF0108]\n" },
	{ "Y-12d", STR_INIT(
	  "---\n"
	  "...\n"),
	  "a.yaml:1:1: error: the spec is empty [PF0108]\n" },
	{ "Y-13a", STR_INIT(
	  "project: t\015pods: {}\015"),
	  "a.yaml:1:11: error: a carriage return without a line feed "
	  "[PF0102]\n" },
	{ "Y-13b", STR_INIT(
	  "project: t\015\n"
	  "pods:\n"
	  "  p:\015\n"
	  "    imgae: x\n"),
	  "a.yaml:4:5: error: unknown field 'imgae' in pod 'p' [PF0103]\n"
	  "a.yaml:3:3: error: pod 'p' has no 'gpu' [PF0111]\n" },
	{ "Y-15a", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    env:\n"
	  "      A: |9\n"
	  "       text\n"),
	  "a.yaml:7:10: error: a block text cannot name its own "
	  "indentation [PF0105]\n"
	  "a.yaml:8:8: error: a key was expected here [PF0101]\n" },
	{ "Y-15b", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    env:\n"
	  "      A: |-+\n"
	  "        text\n"),
	  "a.yaml:7:12: error: a block text may be marked by `|`, `|-`, "
	  "`|+`, `>`, `>-` or `>+` [PF0101]\n" },
	{ "Y-15c", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    env:\n"
	  "      A: |\n"
	  "          text\n"
	  "        less\n"
	  "       b\n"),
	  "a.yaml:9:9: error: a key was expected here [PF0101]\n" },
	{ "Y-15d", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    env:\n"
	  "      A: |\n"
	  "          text\n"
	  "    less\n"),
	  "a.yaml:9:5: error: this line is neither `key: value` nor part "
	  "of a value [PF0101]\n" },
	{ "tag", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    disk: !!str 20GB\n"),
	  "a.yaml:6:11: error: tags are not supported [PF0105]\n" },
	{ "ckey", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    ? [a, b]\n"
	  "    : x\n"
	  "    disk: 30GB\n"),
	  "a.yaml:6:7: error: a key must be a text, not a list [PF0105]\n" },
	{ "open", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    ports: [22/tcp\n"
	  "    disk: 20GB\n"),
	  "a.yaml:6:13: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '22/tcp disk' [PF0112]\n"
	  "a.yaml:7:9: error: a list in brackets is not closed: expected "
	  "`,` or `]` [PF0101]\n" },
	{ "quote", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    args: \"abc\n"
	  "    disk: 20GB\n"),
	  "a.yaml:8:1: error: the file ends inside a quoted text [PF0101]\n" },
	/* Found by fuzzing: the parser counted a line that is not there. */
	{ "no newline", STR_INIT(
	  "project: t\n"
	  "pods: {"),
	  "a.yaml:2:8: error: a value was expected here "
	  "[PF0101]\n" },
	{ "colon", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    args: a: b\n"),
	  "a.yaml:6:12: error: a colon where no key can be [PF0101]\n" },
	{ "at", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    args: @x\n"),
	  "a.yaml:6:11: error: a value cannot begin with '@' [PF0101]\n" },
	{ "list", STR_INIT(
	  "- a\n"
	  "- b\n"),
	  "a.yaml:1:1: error: a spec file must be a mapping, found a "
	  "list [PF0110]\n" },
	{ "scalar", STR_INIT(
	  "hello\n"),
	  "a.yaml:1:1: error: a spec file must be a mapping, found a "
	  "single value [PF0110]\n" },
	{ "latin", STR_INIT(
	  "project: t\npods: {} # \351\n"),
	  "a.yaml:2:12: error: byte 0xe9 is not UTF-8 [PF0102]\n" },
	{ "bidi", STR_INIT(
	  "project: t\n"
	  "# x\342\200\256 y\n"),
	  "a.yaml:2:4: error: the file holds a control for the direction "
	  "of text (U+202E) [PF0102]\n" },
	{ "bom", STR_INIT(
	  "\357\273\277project: t\npods:\n  p:\n    image: a:1\n    gpu: A40\n    disk: x\n"),
	  "a.yaml:6:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found 'x' [PF0112]\n" },
	{ "bom2", STR_INIT(
	  "project: t\npods:\n  p:\n    image: a:1\n    gpu: A40\n    args: a\357\273\277b\n"),
	  "a.yaml:6:12: error: the file holds a byte order mark that is "
	  "not at its start (U+FEFF) [PF0102]\n" },
	{ "utf8col", STR_INIT(
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    image: a:1\n"
	  "    gpu: A40\n"
	  "    args: \"\303\274\303\274\" \n"
	  "    env: { \"\303\274\": x }\n"),
	  "a.yaml:7:12: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'\303\274' [PF0115]\n" },
};

static void
test_spec_yaml_says_what_is_wrong_and_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		print_message("%s\n", cases[i].name);
		spec_says(cases[i].text, cases[i].heads);
	}
}

/* Load `head`, then `n` times `again`, then `tail`. */
static void
says_with(const char *head, const char *again, size_t n, const char *tail,
    const char *heads)
{
	struct strbuf text = {0};

	strbuf_adds(&text, head);
	for (size_t i = 0; i < n; i++)
		strbuf_adds(&text, again);
	strbuf_adds(&text, tail);
	spec_says(strbuf_str(&text), heads);
	strbuf_release(&text);
}

#define POD "project: t\npods:\n  p:\n    image: a:1\n    gpu: A40\n"

static void
test_spec_yaml_names_both_lines_of_a_key_given_twice(void **state)
{
	(void)state;
	says_with(POD, "    # x\n", 40, "    image: b:2\n",
	    "a.yaml:46:5: error: 'image' is given twice: on line 4 and on "
	    "line 46 [PF0104]\n");
}

static void
test_spec_yaml_stops_at_level_33(void **state)
{
	(void)state;
	says_with("project: t\npods: ", "[", 40000, "",
	    "a.yaml:2:7: error: 'pods' must be a mapping, found a list "
	    "[PF0110]\n"
	    "a.yaml:2:38: error: nested more than 32 levels deep [PF0106]\n");
	says_with("", "- ", 20000, "",
	    "a.yaml:1:1: error: a spec file must be a mapping, found a list "
	    "[PF0110]\n"
	    "a.yaml:1:65: error: nested more than 32 levels deep [PF0106]\n");
}

static void
test_spec_yaml_refuses_utf16_with_and_without_its_mark(void **state)
{
	static const char mark[] = "\377\376p\0r\0o\0";
	static const char bare[] = "\0p\0r\0o\0j";
	(void)state;
	spec_says((struct str){ mark, sizeof mark - 1 },
	    "a.yaml:1:1: error: the file is UTF-16; a spec is UTF-8 "
	    "[PF0102]\n");
	spec_says((struct str){ bare, sizeof bare - 1 },
	    "a.yaml:1:1: error: the file is UTF-16; a spec is UTF-8 "
	    "[PF0102]\n");
}

static void
test_spec_yaml_places_a_nul_byte(void **state)
{
	struct strbuf text = {0};

	(void)state;
	strbuf_adds(&text, "project: t\n");
	for (int i = 0; i < 28; i++)
		strbuf_adds(&text, "# c\n");
	strbuf_adds(&text, "pods: {}");
	strbuf_addc(&text, '\0');
	spec_says(strbuf_str(&text), "a.yaml:30:9: error: the file holds a "
	    "NUL byte (U+0000) [PF0102]\n");
	strbuf_release(&text);
}

static void
test_spec_yaml_says_that_a_key_is_too_long(void **state)
{
	(void)state;
	says_with("project: t\n", "k", 2000, ": 1\n",
	    "a.yaml:2:1: error: a key may have at most 1024 letters "
	    "[PF0101]\n");
}

/* Whatever byte a good file loses or gets, loading ends with words. */
static void
test_spec_yaml_survives_every_cut_and_every_byte(void **state)
{
	static const char good[] = POD "    env: { A: \"x\\ty\", B: 'it''s' }\n"
	    "    setup:\n      - run: |\n          a\n          b\n"
	    "    # \303\274\n    args: \"${env.REGION} $${x}\"\n";
	static const unsigned char bytes[] = { 0, '\t', '\n', '\r', 0x1b, '!',
		'"', '#', '%', '&', '*', '-', ':', '?', '[', '{', '|', '}',
		'$', 0x7f, 0x80, 0xc3, 0xe2, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof good - 1; i++) {
		for (size_t j = 0; j <= COUNTOF(bytes); j++) {
			char text[sizeof good];
			struct spec_world world;
			memcpy(text, good, sizeof text);
			size_t n = sizeof good - 1;
			if (j < COUNTOF(bytes))
				text[i] = (char)bytes[j];
			else
				n = i;
			spec_world_init(&world);
			spec_world_put(&world, "a.yaml",
			    (struct str){ text, n });
			spec_world_load(&world);
			spec_world_text(&world);
			spec_world_release(&world);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_yaml_says_what_is_wrong_and_where),
		cmocka_unit_test(
		    test_spec_yaml_names_both_lines_of_a_key_given_twice),
		cmocka_unit_test(test_spec_yaml_stops_at_level_33),
		cmocka_unit_test(
		    test_spec_yaml_refuses_utf16_with_and_without_its_mark),
		cmocka_unit_test(test_spec_yaml_places_a_nul_byte),
		cmocka_unit_test(test_spec_yaml_says_that_a_key_is_too_long),
		cmocka_unit_test(
		    test_spec_yaml_survives_every_cut_and_every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
