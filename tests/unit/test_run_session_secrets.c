/* test_run_session_secrets.c - values that live in memory only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "session_world.h"

#define SPEC(from) "secrets:\n  K: { " from " }\npods: {}\n"

/* The value, or "-" for none. */
static const char *
value_of(struct session_world *s)
{
	struct str value = session_secret(&s->session, STR("K"));

	return value.data == NULL ? "-" :
	    arena_cstr(&s->r.w.arena, value);
}

static void
test_session_secrets_come_from_where_the_spec_says(void **state)
{
	static const struct {
		const char *from, *environment, *file, *command;
		int status;
		const char *value, *why;
	} rows[] = {
		{ "env: V", "x\n", NULL, NULL, 0, "x\n", NULL },
		{ "env: V", "", NULL, NULL, 0, "", NULL },
		{ "env: V", NULL, NULL, NULL, 0, "-",
		  "the environment variable V is not set" },
		/* Of a file and a command the end of the line is not meant. */
		{ "file: k", NULL, "x", NULL, 0, "x", NULL },
		{ "file: k", NULL, "x\n", NULL, 0, "x", NULL },
		{ "file: k", NULL, "x\r\n", NULL, 0, "x", NULL },
		{ "file: k", NULL, "x\n\n", NULL, 0, "x\n", NULL },
		{ "file: k", NULL, "\n", NULL, 0, "", NULL },
		{ "file: k", NULL, "", NULL, 0, "", NULL },
		{ "file: k", NULL, NULL, NULL, 0, "-",
		  "its file k cannot be read" },
		{ "command: [pass, k]", NULL, NULL, "x\n", 0, "x", NULL },
		{ "command: [pass, k]", NULL, NULL, "x\n", 1, "-",
		  "its command failed" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		char spec[100];
		(void)snprintf(spec, sizeof spec, "secrets:\n  K: { %s }\n"
		    "pods: {}\n", rows[i].from);
		s->environment = rows[i].environment;
		s->command_says = rows[i].command;
		s->command_status = rows[i].status;
		if (rows[i].file != NULL)
			fake_fs_put(s->r.w.fake, "k",
			    str_from(rows[i].file), 0600);
		play_begin(s, spec);
		assert_int_equal(session_read_secrets(&s->session, true),
		    rows[i].why == NULL ? EXIT_OK : EXIT_USAGE);
		assert_string_equal(value_of(s), rows[i].value);
		assert_text(play_said(s), rows[i].command != NULL ?
		    "run pass k\n" : "");
		play_reports(s, rows[i].why);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_secrets_that_are_not_required_are_warned_of(void **state)
{
	struct session_world *s = *state;

	play_begin(s, SPEC("env: V"));
	assert_int_equal(session_read_secrets(&s->session, false), EXIT_OK);
	assert_int_equal(s->r.w.diags.errors, 0);
	play_reports(s, "warning: secret 'K' has no value: the "
	    "environment variable V is not set; it is taken as unchanged "
	    "[PF0401]");
	assert_string_equal(value_of(s), "-");
}

static void
test_session_secrets_are_read_once(void **state)
{
	struct session_world *s = *state;

	play_begin(s, SPEC("command: [pass]"));
	s->command_says = "x";
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	assert_text(play_said(s), "run pass\n");
	play_begin(s, NULL);
	s->session.spec = NULL;
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	s->r.w.spec = NULL;
	play_begin(s, "pods: {}\n");
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	assert_text(play_said(s), "");
	assert_null(s->session.secrets);
}

/* ----------------------------------------------------------- filling in -- */

static void
test_session_secrets_are_filled_into_text(void **state)
{
	static const struct { const char *text, *value; } rows[] = {
		{ "", "" },
		{ "plain $ } text", "plain $ } text" },
		{ "${secret.K}", "vvvvvv" },
		{ "a${secret.K}b${secret.K}", "avvvvvvbvvvvvv" },
		{ "$${secret.K}", "${secret.K}" },
		{ "a$${x}${secret.K}", "a${x}vvvvvv" },
		{ "$$${secret.K}", "$${secret.K}" },
		{ "x$${", "x${" },
		/* Nothing but a known secret stands for anything. */
		{ "${secret.NO}", NULL },
		{ "${secret.UNREAD}", NULL },
		{ "${secret.NO} and ${secret.K}", NULL },
		{ "${pod.a.id}", NULL },
		{ "${xxxxxx.K}", NULL },
		{ "${secret.K", NULL },
		{ "a${", NULL },
		{ "${secret.K}${var.x}", NULL },
		{ "${secret.}", NULL },
	};
	struct session_world *s = *state;

	play_begin(s, "secrets:\n  K: { env: V }\n  UNREAD: { file: no }\n"
	    "pods: {}\n");
	s->environment = "vvvvvv";
	assert_int_equal(session_read_secrets(&s->session, false), EXIT_OK);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str value = STR("untouched");
		bool ok = session_resolve(&s->session, &s->r.w.arena,
		    str_from(rows[i].text), &value);
		assert_int_equal(ok, rows[i].value != NULL);
		if (!str_is(value, ok ? rows[i].value : "untouched"))
			fail_msg("%s gives %.*s", rows[i].text,
			    STR_ARG(value));
	}
}

static void
test_session_secrets_that_are_known_are_redacted(void **state)
{
	struct session_world *s = *state;
	struct strbuf out = {0};

	play_begin(s, "secrets:\n  K: { env: V }\n  UNREAD: { file: no }\n"
	    "pods: {}\n");
	s->environment = "hunter2-hunter2";
	assert_int_equal(session_read_secrets(&s->session, false), EXIT_OK);
	struct redactor *redactor = session_redactor(&s->session);
	redact(redactor, &out, STR("it is hunter2-hunter2, they say"));
	assert_string_equal(out.data, "it is (secret), they say");
	redactor_free(redactor);
	strbuf_release(&out);
	/* The key is none of the spec's, and no less of a secret. */
	struct secret key = secret_new(STR("K3Y-of-the-cloud"));
	s->session.config.key = &key;
	assert_true(str_is(session_hide(&s->session,
	    STR("invalid: Bearer K3Y-of-the-cloud, hunter2-hunter2")),
	    "invalid: Bearer (secret), (secret)"));
	secret_release(&key);
	/* While there is none yet, nothing is taken for it. */
	assert_true(str_is(session_hide(&s->session, STR("K3Y-of-the-cloud")),
	    "K3Y-of-the-cloud"));
	/* They go with the session. */
	session_close(&s->session);
	assert_string_equal(value_of(s), "-");
	for (size_t i = 0; i < 2; i++)
		assert_false(secret_is_set(&s->session.secrets[i].value));
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_secrets_come_from_where_the_spec_says),
		ROW(test_session_secrets_that_are_not_required_are_warned_of),
		ROW(test_session_secrets_are_read_once),
		ROW(test_session_secrets_are_filled_into_text),
		ROW(test_session_secrets_that_are_known_are_redacted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
