/* test_cmd_key.c - where keys and tokens come from, and what is said of bad
 * ones; no value of one is ever part of a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "cmd/podform/github_key.h"
#include "cmd/podform/key.h"
#include "cmd_world.h"

#define SECRET "s3cr3t-value"
#define CONFIG "home/.config/podform/config.yaml"

/* A file of the disk; `owner` is added to our own user. */
struct file {
	const char *path, *text;
	unsigned mode, owner;
};

static void
put_files(struct cmd_world *world, const struct file *files, size_t n)
{
	static const char *const dirs[] = { "home", "home/.config",
		"home/.config/podform", "xdg", "xdg/podform" };

	for (size_t i = 0; i < COUNTOF(dirs); i++)
		fake_fs_put_dir(world->fake, dirs[i], 0755);
	for (size_t i = 0; i < n && files[i].path != NULL; i++) {
		fake_fs_put(world->fake, files[i].path,
		    str_from(files[i].text), files[i].mode);
		if (files[i].owner != 0)
			fake_fs_own(world->fake, files[i].path,
			    (uint32_t)geteuid() + files[i].owner);
	}
}

struct key_case {
	const char *variables[4];
	struct file files[3];
	const char *key;	/* found; NULL: none */
	const char *origin, *url, *url_origin;
	const char *said;	/* NULL: nothing, and all is well */
};

static void
test_cmd_key_is_found_in_order_and_judged(void **state)
{
	static const struct key_case cases[] = {
		{ {0}, {{0}}, NULL, "", "", "built in", NULL },
		{ { "RUNPOD_API_KEY=" SECRET }, {{0}}, SECRET,
		  "RUNPOD_API_KEY", "", "built in", NULL },
		/* White space around it is an editor's. */
		{ { "RUNPOD_API_KEY= \t" SECRET "\n" }, {{0}}, SECRET,
		  "RUNPOD_API_KEY", "", "built in", NULL },
		{ { "RUNPOD_API_KEY=  " }, {{0}}, NULL, NULL, NULL, NULL,
		  "error: the API key in RUNPOD_API_KEY is empty "
		  "[PF0820]\n" },
		{ { "RUNPOD_API_KEY=" SECRET " x" }, {{0}}, NULL, NULL, NULL,
		  NULL, "error: the API key in RUNPOD_API_KEY holds "
		  "a character that no key has (byte 13) [PF0820]\n" },
		{ { "RUNPOD_API_KEY=" SECRET "\x7f" }, {{0}}, NULL, NULL,
		  NULL, NULL, "error: the API key in RUNPOD_API_KEY "
		  "holds a character that no key has (byte 13) [PF0820]\n" },
		/* The variable comes before the file, and both before that
		 * of the configuration. */
		{ { "RUNPOD_API_KEY=" SECRET, "RUNPOD_API_KEY_FILE=k" },
		  {{0}}, SECRET, "RUNPOD_API_KEY", "", "built in", NULL },
		{ { "RUNPOD_API_KEY_FILE=k", "HOME=home" },
		  { { "k", SECRET "\n", 0600, 0 },
		    { CONFIG, "api_key_file: none\n", 0644, 0 } }, SECRET,
		  "file k", "", "built in", NULL },
		{ { "HOME=home" }, { { "k", SECRET, 0400, 0 },
		    { CONFIG, "api_key_file: k\napi_url: http://x\n", 0644,
		      0 } }, SECRET, "file k", "http://x",
		  "user configuration", NULL },
		{ { "HOME=home", "RUNPOD_API_URL=http://y" },
		  { { CONFIG, "api_url: http://x\n", 0644, 0 } }, NULL, "",
		  "http://y", "RUNPOD_API_URL", NULL },
		{ { "HOME=home", "XDG_CONFIG_HOME=xdg" },
		  { { CONFIG, "api_url: http://x\n", 0644, 0 },
		    { "xdg/podform/config.yaml", "api_url: http://z\n", 0644,
		      0 } }, NULL, "", "http://z", "user configuration",
		  NULL },
		{ { "HOME=home" }, { { CONFIG, "", 0644, 0 } }, NULL, "", "",
		  "built in", NULL },
		{ { "HOME=home" }, { { CONFIG, "# nothing yet\n", 0644,
		    0 } }, NULL, "", "", "built in", NULL },
		/* A file where a directory is looked for is no configuration
		 * of ours. */
		{ { "XDG_CONFIG_HOME=k" }, { { "k", "x", 0600, 0 } }, NULL,
		  "", "", "built in", NULL },
		{ { "RUNPOD_API_KEY_FILE=none" }, {{0}}, NULL, NULL, NULL,
		  NULL, "error: cannot read the key file 'none': No "
		  "such file or directory [PF0821]\n" },
		{ { "RUNPOD_API_KEY_FILE=k" }, { { "k", SECRET, 0640, 0 } },
		  NULL, NULL, NULL, NULL, "error: the key file 'k' "
		  "is open to other users [PF0821]\n   hint: chmod 600 k\n" },
		{ { "RUNPOD_API_KEY_FILE=k" }, { { "k", SECRET, 0602, 0 } },
		  NULL, NULL, NULL, NULL, "error: the key file 'k' "
		  "is open to other users [PF0821]\n   hint: chmod 600 k\n" },
		{ { "RUNPOD_API_KEY_FILE=k" }, { { "k", SECRET, 0600, 1 } },
		  NULL, NULL, NULL, NULL, "error: the key file 'k' "
		  "belongs to another user [PF0821]\n" },
		{ { "RUNPOD_API_KEY_FILE=k" }, { { "k", "\n", 0600, 0 } },
		  NULL, NULL, NULL, NULL, "error: the API key in "
		  "file k is empty [PF0820]\n" },
		{ { "RUNPOD_API_KEY_FILE=home" }, {{0}}, NULL, NULL, NULL,
		  NULL, "error: the key file 'home' is open to other "
		  "users [PF0821]\n   hint: chmod 600 home\n" },
		/* The configuration's mistakes have a place. */
		{ { "HOME=home" }, { { CONFIG, "api_key: " SECRET "\n", 0644,
		    0 } }, NULL, NULL, NULL, NULL, CONFIG ":1:1: error: "
		  "unknown setting 'api_key' [PF0822]\n" },
		{ { "HOME=home" }, { { CONFIG, "api_url: [x]\n", 0644, 0 } },
		  NULL, NULL, NULL, NULL, CONFIG ":1:1: error: unknown "
		  "setting 'api_url' [PF0822]\n" },
		{ { "HOME=home" }, { { CONFIG, "api_key_file: {a: b}\n",
		    0644, 0 } }, NULL, NULL, NULL, NULL, CONFIG ":1:1: "
		  "error: unknown setting 'api_key_file' [PF0822]\n" },
		{ { "HOME=home" }, { { CONFIG, "- x\n", 0644, 0 } }, NULL,
		  NULL, NULL, NULL, CONFIG ":1:1: error: settings are written "
		  "as NAME: VALUE [PF0822]\n" },
		{ { "HOME=home" }, { { CONFIG, "api_url\n", 0644, 0 } },
		  NULL, NULL, NULL, NULL, CONFIG ":1:1: error: settings are "
		  "written as NAME: VALUE [PF0822]\n" },
		{ { "HOME=home" }, { { CONFIG, "api_url: x\n[a]: b\n", 0644,
		    0 } }, NULL, NULL, NULL, NULL, CONFIG ":2:" },
		{ { "HOME=home" }, { { CONFIG, "api_url:\n", 0644, 0 } },
		  NULL, "", "", "built in", NULL },
		{ { "HOME=home" }, { { CONFIG, "api_url: \"x\n", 0644, 0 } },
		  NULL, NULL, NULL, NULL, CONFIG ":" },
		{ { "HOME=home", "RUNPOD_API_KEY=" SECRET },
		  { { CONFIG, "[\n", 0644, 0 } }, NULL, NULL, NULL, NULL,
		  CONFIG ":" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct key_case *c = &cases[i];
		struct cmd_world world;
		struct key_facts facts;
		cmd_world_init(&world);
		cmd_world_environment(c->variables);
		put_files(&world, c->files, COUNTOF(c->files));
		bool ok = key_find(&world.app, &facts);
		const char *said = cmd_world_said(&world);
		if (ok != (c->said == NULL) || (ok ? said[0] != '\0' :
		    strncmp(said, c->said, strlen(c->said)) != 0))
			fail_msg("case %zu: %d, %s", i, ok, said);
		assert_null(strstr(said, SECRET "-"));
		assert_int_equal(secret_is_set(&facts.key), c->key != NULL);
		if (c->key != NULL)
			assert_true(str_is(secret_reveal(&facts.key),
			    c->key));
		if (ok && (!str_is(facts.origin, c->origin) ||
		    !str_is(facts.api_url, c->url) ||
		    !str_is(facts.api_url_origin, c->url_origin)))
			fail_msg("case %zu: '" STR_FMT "' '" STR_FMT "' '"
			    STR_FMT "'", i, STR_ARG(facts.origin),
			    STR_ARG(facts.api_url),
			    STR_ARG(facts.api_url_origin));
		secret_release(&facts.key);
		cmd_world_release(&world);
	}
}

static void
test_cmd_key_has_an_end(void **state)
{
	struct cmd_world world;
	struct key_facts facts;
	char text[5000];

	(void)state;
	cmd_world_init(&world);
	memset(text, 'x', sizeof text);
	text[4097] = '\0';
	fake_fs_put(world.fake, "k", str_from(text), 0600);
	cmd_world_environment((const char *[]){ "RUNPOD_API_KEY_FILE=k",
		NULL });
	assert_false(key_find(&world.app, &facts));
	assert_string_equal(cmd_world_said(&world), "error: cannot "
	    "read the key file 'k': File too large [PF0821]\n");
	memcpy(text, "RUNPOD_API_KEY=", 15);
	text[15 + 4097] = '\0';
	memset(text + 4097, 'x', 15);
	cmd_world_environment((const char *[]){ text, NULL });
	assert_false(key_find(&world.app, &facts));
	assert_string_equal(cmd_world_said(&world), "error: the API "
	    "key in RUNPOD_API_KEY is 4097 bytes long; no key is "
	    "[PF0820]\n");
	text[15 + 4096] = '\0';
	cmd_world_environment((const char *[]){ text, NULL });
	assert_true(key_find(&world.app, &facts));
	secret_release(&facts.key);
	cmd_world_release(&world);
}

/* A disk that fails is not a configuration that is not there. */
static void
test_cmd_key_tells_a_broken_disk(void **state)
{
	struct cmd_world world;
	struct key_facts facts;

	(void)state;
	cmd_world_init(&world);
	put_files(&world, NULL, 0);
	fake_fs_put(world.fake, CONFIG, STR("api_url: x\n"), 0644);
	fake_fs_put(world.fake, "k", STR(SECRET), 0600);
	cmd_world_environment((const char *[]){ "HOME=home",
		"RUNPOD_API_KEY_FILE=k", NULL });
	world.fake->faults.at = world.fake->calls + 1;
	assert_false(key_find(&world.app, &facts));
	assert_string_equal(cmd_world_said(&world), "error: cannot "
	    "read '" CONFIG "': Input/output error [PF0822]\n");
	cmd_world_environment((const char *[]){ "RUNPOD_API_KEY_FILE=k",
		NULL });
	for (uint64_t nth = 1; ; nth++) {
		world.fake->faults.at = world.fake->calls + nth;
		world.fake->fired = false;
		if (key_find(&world.app, &facts) && !world.fake->fired)
			break;
		/* Closing a file that was read may fail unnoticed. */
		if (!secret_is_set(&facts.key))
			assert_string_equal(cmd_world_said(&world),
			    "error: cannot read the key file 'k': "
			    "Input/output error [PF0821]\n");
		secret_release(&facts.key);
		assert_true(nth < 20);
	}
	secret_release(&facts.key);
	cmd_world_release(&world);
}

/* --------------------------------------------------------------- GitHub -- */

#define APP_ID "PODFORM_GITHUB_APP_ID=123"
#define APP_FILE "PODFORM_GITHUB_APP_KEY_FILE=k"

struct github_case {
	const char *variables[4];
	struct file file;
	const char *token, *app_key;	/* found */
	const char *origin, *why;
};

static void
test_cmd_github_credential_is_found_in_order(void **state)
{
	static const char none[] = "there is no credential for GitHub, which "
	    "runners need: set GITHUB_TOKEN, or GITHUB_TOKEN_FILE, or "
	    "PODFORM_GITHUB_APP_ID and PODFORM_GITHUB_APP_KEY_FILE";
	static const char both[] = "a GitHub App needs both "
	    "PODFORM_GITHUB_APP_ID and PODFORM_GITHUB_APP_KEY_FILE";
	static const struct github_case cases[] = {
		{ {0}, {0}, NULL, NULL, "", none },
		{ { "GITHUB_TOKEN=" }, {0}, NULL, NULL, "", none },
		{ { "GITHUB_TOKEN=" SECRET, "GH_TOKEN=other" }, {0}, SECRET,
		  NULL, "GITHUB_TOKEN", "" },
		{ { "GH_TOKEN= " SECRET " ", "GITHUB_TOKEN_FILE=k" }, {0},
		  SECRET, NULL, "GH_TOKEN", "" },
		{ { "GH_TOKEN= " }, {0}, NULL, NULL, "GH_TOKEN",
		  "the token in GH_TOKEN is empty" },
		{ { "GH_TOKEN=a b" }, {0}, NULL, NULL, "GH_TOKEN",
		  "the token in GH_TOKEN holds a character that no token has "
		  "(byte 2)" },
		{ { "GH_TOKEN=a\xc3\xa4" }, {0}, NULL, NULL, "GH_TOKEN",
		  "the token in GH_TOKEN holds a character that no token has "
		  "(byte 2)" },
		{ { "GITHUB_TOKEN_FILE=k", APP_ID }, { "k", SECRET "\n",
		    0600, 0 }, SECRET, NULL, "file k", "" },
		{ { "GITHUB_TOKEN_FILE=k" }, { "k", SECRET, 0644, 0 }, NULL,
		  NULL, "file k", "'k' is open to other users: chmod 600 "
		  "k" },
		{ { "GITHUB_TOKEN_FILE=k" }, { "k", SECRET, 0600, 1 }, NULL,
		  NULL, "file k", "'k' belongs to another user" },
		{ { "GITHUB_TOKEN_FILE=k" }, {0}, NULL, NULL, "file k",
		  "cannot read 'k': No such file or directory" },
		{ { "GITHUB_TOKEN_FILE=k" }, { "k", "", 0600, 0 }, NULL,
		  NULL, "file k", "the token in file k is empty" },
		{ { APP_ID }, {0}, NULL, NULL, "", both },
		{ { APP_FILE }, {0}, NULL, NULL, "", both },
		{ { APP_ID, APP_FILE }, { "k", "-----BEGIN\n", 0600, 0 },
		  NULL, "-----BEGIN\n", "App 123, key in k", "" },
		{ { APP_ID, APP_FILE }, {0}, NULL, NULL, "App 123, key in k",
		  "cannot read 'k': No such file or directory" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct github_case *c = &cases[i];
		struct github_credential found;
		struct cmd_world world;
		struct str origin;
		cmd_world_init(&world);
		cmd_world_environment(c->variables);
		put_files(&world, &c->file, 1);
		github_key_find(&world.app, &found, &origin);
		if (!str_is(origin, c->origin) ||
		    !str_is(found.why_none, c->why))
			fail_msg("case %zu: '" STR_FMT "', '" STR_FMT "'", i,
			    STR_ARG(origin), STR_ARG(found.why_none));
		assert_true(c->token != NULL ? str_is(secret_reveal(
		    &found.token), c->token) : !secret_is_set(&found.token));
		assert_true(c->app_key != NULL ? str_is(secret_reveal(
		    &found.app_key), c->app_key) && str_is(found.app, "123") :
		    !secret_is_set(&found.app_key));
		secret_release(&found.token);
		secret_release(&found.app_key);
		cmd_world_release(&world);
	}
}

static void
test_cmd_github_addresses_are_https_or_loopback(void **state)
{
	static const struct {
		const char *variables[3], *api, *web, *why;
	} cases[] = {
		{ {0}, "https://api.github.com", "https://github.com",
		  NULL },
		{ { "GITHUB_SERVER_URL=https://git.acme.io" },
		  "https://git.acme.io/api/v3", "https://git.acme.io", NULL },
		{ { "GITHUB_API_URL=http://127.0.0.1:1/api/v3",
		    "GITHUB_SERVER_URL=http://127.0.0.1:1" },
		  "http://127.0.0.1:1/api/v3", "http://127.0.0.1:1", NULL },
		{ { "GITHUB_SERVER_URL=acme" }, NULL, NULL,
		  "GITHUB_SERVER_URL or GITHUB_API_URL is no URL" },
		{ { "GITHUB_API_URL=http://git.acme.io" }, NULL, NULL,
		  "GitHub's address 'http://git.acme.io' cannot be "
		  "used: plain http" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct github_urls urls = {0};
		struct cmd_world world;
		struct str why = {0};
		cmd_world_init(&world);
		cmd_world_environment(cases[i].variables);
		bool ok = github_key_urls(&world.app, &urls, &why);
		if (ok != (cases[i].why == NULL) || (ok ? !str_is(urls.api,
		    cases[i].api) || !str_is(urls.web, cases[i].web) :
		    !str_starts(why, str_from(cases[i].why))))
			fail_msg("case %zu: %d '" STR_FMT "' '" STR_FMT "' '"
			    STR_FMT "'", i, ok, STR_ARG(urls.api),
			    STR_ARG(urls.web), STR_ARG(why));
		cmd_world_release(&world);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmd_key_is_found_in_order_and_judged),
		cmocka_unit_test(test_cmd_key_has_an_end),
		cmocka_unit_test(test_cmd_key_tells_a_broken_disk),
		cmocka_unit_test(
		    test_cmd_github_credential_is_found_in_order),
		cmocka_unit_test(
		    test_cmd_github_addresses_are_https_or_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
