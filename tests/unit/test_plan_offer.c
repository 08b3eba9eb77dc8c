/*
 * test_plan_offer.c - what GitHub offers to a runner that is to be made, and
 * what a plan says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"

/* A runner on a pod, with fields of its own. */
static void
runner(struct plan_world *w, const char *fields)
{
	world_spec(w, arena_printf(&w->arena,
	    "pods: { a: { image: x:1, gpu: A40 } }\n"
	    "runners: { ci: { pod: a, %s } }\n", fields).data);
}

#define REPOSITORY "repository: acme/model"
#define ORGANIZATION "organization: acme"
#define REFUSED(words) "error: " words " [PF0210]\n"

/* What a plan says; of a refusal the heads alone, with the hints. */
static const char *
says(struct plan_world *w)
{
	struct str rest = str_from(world_plan(w, DUMP_CHECKS));
	struct strbuf out = {0};

	while (rest.len > 0) {
		struct str line = str_cut(rest, '\n', &rest);
		ptrdiff_t at = str_search(line, STR("error: "));
		if (str_find(line, '|') >= 0)
			continue;
		strbuf_add(&out, at < 0 ? line : str_sub(line, (size_t)at,
		    line.len));
		strbuf_addc(&out, '\n');
	}
	const char *text = arena_str(&w->arena, strbuf_str(&out)).data;
	strbuf_release(&out);
	return text;
}

static const struct plan_change *
runner_change(struct plan_world *w)
{
	for (size_t i = 0; w->plan != NULL && i < w->plan->changes.n; i++)
		if (w->plan->changes.items[i].kind == KIND_RUNNER)
			return &w->plan->changes.items[i];
	fail_msg("no runner is planned: %s", w->text.data);
	return NULL;
}

/* ------------------------------------------------------------- packages -- */

#define URL "https://example.test/v2.336.0/runner-2.336.0.tar.gz"
#define OLDER "https://example.test/v2.330.1/runner-2.330.1.tar.gz"

static void
test_plan_offer_package_by_version(void **state)
{
	static const struct {
		const char *fields;
		const char *url, *filename;	/* of 2.336.0 */
		const char *version, *wanted_url, *sha;	/* NULL: refused */
		const char *says;
	} rows[] = {
		/* The newest by number, not by letter. */
		{ "", URL, "runner-2.336.0.tar.gz", "2.336.0", URL, "abc", "" },
		{ ", version: latest", URL, "runner-2.336.0.tar.gz", "2.336.0",
		    URL, "abc", "" },
		{ ", version: 2.336.0", URL, "runner-2.336.0.tar.gz",
		    "2.336.0", URL, "abc", "" },
		{ ", version: 2.335.0", URL, "runner-2.336.0.tar.gz",
		    "2.335.0", "other", "def", "" },
		/* Older ones lie beside it, without a digest. */
		{ ", version: 2.330.1", URL, "runner-2.336.0.tar.gz",
		    "2.330.1", OLDER, NULL,
		    "check warn runner.digest: runner.ci is pinned to 2.330.1, "
		    "for which GitHub gives no digest (it does for 2.336.0): "
		    "the package is taken as the server sends it @3\n" },
		/* Where its file has nothing before the version as well. */
		{ ", version: 2.330.1", URL, "2.336.0.tar.gz", "2.330.1", OLDER,
		    NULL,
		    "check warn runner.digest: runner.ci is pinned to 2.330.1, "
		    "for which GitHub gives no digest (it does for 2.336.0): "
		    "the package is taken as the server sends it @3\n" },
		/* Where that is cannot be told. */
		{ ", version: 2.330.1", "https://example.test/latest",
		    "runner-2.336.0.tar.gz", NULL, NULL, NULL,
		    REFUSED("GitHub does not offer version 2.330.1 of the "
		    "runner to acme/model")
		    "   hint: it offers 2.335.0\n"
		    "   hint: it offers 2.336.0\n"
		    "   hint: it offers 2.99.0\n" },
		{ ", version: 2.330.1", URL, "runner.tar.gz", NULL, NULL, NULL,
		    REFUSED("GitHub does not offer version 2.330.1 of the "
		    "runner to acme/model")
		    "   hint: it offers 2.335.0\n"
		    "   hint: it offers 2.336.0\n"
		    "   hint: it offers 2.99.0\n" },
		{ ", version: 2.337.0", URL, "runner-2.336.0.tar.gz", NULL,
		    NULL, NULL,
		    REFUSED("GitHub does not offer version 2.337.0 of the "
		    "runner to acme/model")
		    "   hint: it offers 2.335.0\n"
		    "   hint: it offers 2.336.0\n"
		    "   hint: it offers 2.99.0\n" },
	};
	struct plan_world *w = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct runner_package packages[] = {
			{ .version = STR("2.335.0"), .url = STR("other"),
			  .filename = STR("other"), .sha256 = STR("def") },
			{ .version = STR("2.336.0"),
			  .url = str_from(rows[i].url),
			  .filename = str_from(rows[i].filename),
			  .sha256 = STR("abc"), .token = STR("t") },
			{ .version = STR("2.99.0"), .url = STR("old"),
			  .filename = STR("old") },
		};
		w->scope.packages = packages;
		w->scope.npackages = COUNTOF(packages);
		runner(w, arena_printf(&w->arena, REPOSITORY "%s",
		    rows[i].fields).data);
		assert_text(says(w), rows[i].says);
		if (rows[i].version == NULL) {
			assert_null(w->plan);
			continue;
		}
		const struct plan_change *c = runner_change(w);
		assert_true(str_is(c->package.version, rows[i].version));
		assert_true(str_is(c->package.url, rows[i].wanted_url));
		assert_true(str_is(c->package.sha256, rows[i].sha));
		assert_true(str_is(c->runner_config.version,
		    rows[i].version));
		if (rows[i].sha != NULL)
			continue;
		assert_true(str_is(c->package.filename,
		    rows[i].filename[0] == '2' ? "2.330.1.tar.gz" :
		    "runner-2.330.1.tar.gz"));
		assert_true(str_is(c->package.token, "t"));
	}
}

/* Said once for all replicas, and with a few of what there is. */
static void
test_plan_offer_package_that_is_none_is_told_once(void **state)
{
	struct runner_package packages[7];
	struct plan_world *w = *state;

	for (size_t i = 0; i < COUNTOF(packages); i++)
		packages[i] = (struct runner_package){ .version =
		    arena_printf(&w->arena, "2.340.%zu", i) };
	w->scope.packages = packages;
	w->scope.npackages = COUNTOF(packages);
	world_spec(w, "pods: { a: { image: x:1, gpu: A40, replicas: 3 } }\n"
	    "runners: { ci: { pod: a, " REPOSITORY ", version: 2.341.0 } }\n");
	assert_text(says(w),
	    REFUSED("GitHub does not offer version 2.341.0 of the runner to "
	    "acme/model")
	    "   hint: it offers 2.340.0\n"
	    "   hint: it offers 2.340.1\n"
	    "   hint: it offers 2.340.2\n"
	    "   hint: it offers 2.340.3\n"
	    "   hint: it offers 2.340.4\n");
	w->scope.npackages = 0;
	runner(w, REPOSITORY);
	assert_text(says(w),
	    REFUSED("GitHub does not offer version latest of the runner to "
	    "acme/model"));
	runner(w, REPOSITORY ", version: 2.341.0");
	assert_text(says(w),
	    REFUSED("GitHub does not offer version 2.341.0 of the runner to "
	    "acme/model"));
}

/* ------------------------------------------------- the end of a version -- */

/* The earlier of two times counts, wherever each of them lies. */
static void
test_plan_offer_version_ends_by_the_first_of_its_dates(void **state)
{
	enum { NONE, PAST, NOW, SOON, AT_LIMIT, LATER, NWHEN };
	static const int64_t away[NWHEN] = {
		[PAST] = -1000, [NOW] = 0, [SOON] = 14 * 24 * HOUR_MS - 1000,
		[AT_LIMIT] = 14 * 24 * HOUR_MS, [LATER] = 20 * 24 * HOUR_MS,
	};
	struct plan_world *w = *state;

	runner(w, REPOSITORY ", version: 2.335.0");
	for (int first = NONE; first < NWHEN; first++)
	for (int second = NONE; second < NWHEN; second++)
	for (int other = 0; other < 2; other++) {
		struct str dates[2] = {0}, when = {0};
		int least = first == NONE || (second != NONE &&
		    second < first) ? second : first;
		for (int i = 0; i < 2; i++) {
			int one = i == 0 ? first : second;
			if (one != NONE)
				dates[i] = format_time(&w->arena,
				    w->options.wall_ms + away[one]);
			if (one == least)
				when = dates[i];
		}
		struct runner_end *end = &w->scope.ends.items[0];
		if (w->scope.ends.n == 0)
			end = ARENA_PUSH(&w->arena, &w->scope.ends);
		*end = (struct runner_end){ .version = other ?
		    STR("2.336.0") : STR("2.335.0"), .registration = dates[0],
		    .runtime = dates[1] };
		struct str wanted = STR("");
		if (!other && (least == PAST || least == NOW))
			wanted = arena_printf(&w->arena,
			    REFUSED("GitHub takes no runners of version "
			    "2.335.0 any more, since " STR_FMT)
			    "   hint: it offers 2.335.0\n"
			    "   hint: it offers 2.336.0\n", STR_ARG(when));
		else if (!other && least == SOON)
			wanted = arena_printf(&w->arena, "check warn "
			    "runner.version: runner.ci is pinned to 2.335.0, "
			    "which GitHub takes until " STR_FMT " @3\n",
			    STR_ARG(when));
		assert_text(says(w), wanted.data);
	}
}

static void
test_plan_offer_version_that_has_ended_is_told_once(void **state)
{
	struct plan_world *w = *state;

	*ARENA_PUSH(&w->arena, &w->scope.ends) = (struct runner_end){
		.version = STR("2.335.0"),
		.registration = STR("2020-01-01T00:00:00Z") };
	world_spec(w, "pods: { a: { image: x:1, gpu: A40, replicas: 2 } }\n"
	    "runners: { ci: { pod: a, " REPOSITORY ", version: 2.335.0 } }\n");
	assert_text(says(w),
	    REFUSED("GitHub takes no runners of version 2.335.0 any more, "
	    "since 2020-01-01T00:00:00Z")
	    "   hint: it offers 2.335.0\n"
	    "   hint: it offers 2.336.0\n");
	/* Who takes the newest takes no version that has ended. */
	runner(w, REPOSITORY);
	assert_text(says(w), "");
}

/* --------------------------------------------------------------- groups -- */

static void
organization(struct plan_world *w)
{
	w->scope.scope = (struct github_scope){ .organization = STR("acme") };
}

static void
test_plan_offer_group_by_name(void **state)
{
	static struct github_group groups[] = {
		{ .id = 1, .name = STR_INIT("Default"), .is_default = true },
		{ .id = 7, .name = STR_INIT("gpus") },
		{ .id = 8, .name = STR_INIT("three") },
		{ .id = 9, .name = STR_INIT("four") },
		{ .id = 10, .name = STR_INIT("five") },
		{ .id = 11, .name = STR_INIT("six") },
	};
	struct plan_world *w = *state;

	organization(w);
	w->scope.groups = groups;
	w->scope.ngroups = COUNTOF(groups);
	runner(w, ORGANIZATION ", group: gpus");
	assert_text(says(w), "");
	assert_int_equal(runner_change(w)->runner_group, 7);
	runner(w, ORGANIZATION);
	assert_text(says(w), "");
	assert_int_equal(runner_change(w)->runner_group, 0);
	world_spec(w, "pods: { a: { image: x:1, gpu: A40, replicas: 2 } }\n"
	    "runners: { ci: { pod: a, " ORGANIZATION ", group: cpus } }\n");
	assert_text(says(w),
	    "error: acme has no runner group 'cpus' [PF0211]\n"
	    "   hint: there is 'Default'\n"
	    "   hint: there is 'gpus'\n"
	    "   hint: there is 'three'\n"
	    "   hint: there is 'four'\n"
	    "   hint: there is 'five'\n");
	w->scope.ngroups = 0;
	assert_text(says(w),
	    "error: acme has no runner group 'cpus' [PF0211]\n");
}

/* ---------------------------------------------------------- permissions -- */

static void
test_plan_offer_permission_by_the_scopes_of_a_classic_token(void **state)
{
	static const struct {
		const char *scopes;
		bool repository, organization;	/* may register there */
	} rows[] = {
		{ "repo", true, false },
		{ "gist, repo", true, false },
		{ " repo , gist", true, false },
		{ "public_repo, repo:status", false, false },
		{ "admin:org", false, true },
		{ "read:org,admin:org", false, true },
		{ "manage_runners:org", false, true },
		{ "write:org", false, false },
		{ "repo, admin:org", true, true },
		{ ",", false, false },
	};
	struct plan_world *w = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		bool org = i % 2 == 1;
		const char *scopes = rows[i / 2].scopes;
		bool may = org ? rows[i / 2].organization :
		    rows[i / 2].repository;
		w->scope.scope = (struct github_scope){0};
		if (org)
			w->scope.scope.organization = STR("acme");
		else
			w->scope.scope.repository = STR("acme/model");
		w->scope.token_scopes = str_from(scopes);
		/* Said once, although there are two. */
		world_spec(w, arena_printf(&w->arena, "pods: { a: { image: "
		    "x:1, gpu: A40, replicas: 2 } }\nrunners: { ci: { pod: a, "
		    "%s } }\n", org ? ORGANIZATION : REPOSITORY).data);
		assert_text(says(w), may ? "" : arena_printf(&w->arena,
		    "check warn runner.permission: GitHub will not let this "
		    "token register runners of %s: it has the scopes %s, and "
		    "%s is needed @3\n", org ? "acme" : "acme/model", scopes,
		    org ? "admin:org" : "repo").data);
	}
}

/* Of each runner in the spec, also where another is on a line of that number
 * in another file, or something else is said of the same one. */
static void
test_plan_offer_permission_is_told_of_each_runner(void **state)
{
	struct plan_world *w = *state;
	struct str paths[] = { STR("a.yaml"), STR("b.yaml") };
	struct fs fs = fake_fs_seam(w->fake);
	struct spec_options options = { .fs = &fs, .paths = paths,
		.npaths = COUNTOF(paths) };

	fake_fs_put(w->fake, "a.yaml", STR("project: test\n"
	    "pods: { a: { image: x:1, gpu: A40 } }\n"
	    "runners:\n"
	    "  one: { pod: a, " REPOSITORY " }\n"
	    "  two: { pod: a, " REPOSITORY " }\n"), 0644);
	fake_fs_put(w->fake, "b.yaml", STR("#\n#\nrunners:\n"
	    "  zoo: { pod: a, " REPOSITORY " }\n"), 0644);
	w->spec = spec_load(&w->arena, &options, &w->sources, &w->diags);
	assert_non_null(w->spec);
	w->scope.token_scopes = STR("gist");
	w->scope.is_private = false;
	(void)world_plan(w, DUMP_CHECKS);
	unsigned told[3] = {0}, publicly = 0;
	for (size_t i = 0; i < w->plan->checks.n; i++) {
		const struct plan_check *check = &w->plan->checks.items[i];
		publicly += strcmp(check->id, "runner.public") == 0;
		if (strcmp(check->id, "runner.permission") == 0)
			told[check->span.line == 5 ? 1 : str_is(sources_get(
			    &w->sources, check->span.source)->name, "b.yaml") ?
			    2 : 0]++;
	}
	assert_int_equal(publicly, 3);
	assert_true(told[0] == 1 && told[1] == 1 && told[2] == 1);
}

/* ------------------------------------------------- what is not known yet -- */

static void
test_plan_offer_asks_for_what_github_has_not_told(void **state)
{
	/* Bits: packages, groups, private known; or no such scope. */
	struct plan_world *w = *state;
	struct live_scope all = w->scope;

	for (unsigned i = 0; i < 2 * 9; i++) {
		bool org = i >= 9, scope = i % 9 < 8;
		bool packages = i % 9 & 1, groups = (i % 9 & 2) != 0;
		bool privacy = (i % 9 & 4) != 0;
		struct github_group group = { .id = 3, .name = STR("g") };
		w->scope = all;
		w->scope.scope = (struct github_scope){0};
		if (!scope)
			w->scope.scope.repository = STR("acme/other");
		else if (org)
			w->scope.scope.organization = STR("acme");
		else
			w->scope.scope.repository = STR("acme/model");
		w->scope.packages_known = packages;
		w->scope.groups_known = groups;
		w->scope.groups = &group;
		w->scope.ngroups = 1;
		w->scope.private_known = privacy;
		runner(w, org ? ORGANIZATION ", group: g, version: 2.335.0" :
		    REPOSITORY ", version: 2.335.0");
		assert_text(says(w), "");
		bool all_told = scope && packages && (org ? groups : privacy);
		assert_int_equal(w->plan->needs_github, !all_told);
		/* What is pinned is known without being told. */
		assert_true(str_is(runner_change(w)->package.version,
		    "2.335.0"));
		/* What is not is not made up. */
		runner(w, org ? ORGANIZATION ", group: g" : REPOSITORY);
		(void)world_plan(w, 0);
		assert_int_equal(runner_change(w)->package.version.len > 0,
		    scope && packages);
		/* From the record alone nobody is asked. */
		w->live.from_lock = true;
		assert_text(says(w), "");
		assert_false(w->plan->needs_github);
		w->live.from_lock = false;
	}
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plan_offer_package_by_version),
		TEST(test_plan_offer_package_that_is_none_is_told_once),
		TEST(test_plan_offer_version_ends_by_the_first_of_its_dates),
		TEST(test_plan_offer_version_that_has_ended_is_told_once),
		TEST(test_plan_offer_group_by_name),
		TEST(
		test_plan_offer_permission_by_the_scopes_of_a_classic_token),
		TEST(test_plan_offer_permission_is_told_of_each_runner),
		TEST(test_plan_offer_asks_for_what_github_has_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
