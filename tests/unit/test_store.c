/*
 * test_store.c - what every store promises: one table of scenarios that all
 * three kinds pass, and what is peculiar to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lock/lock.h"
#include "store_world.h"

static const struct mutex_holder ada = {
	.id = STR_INIT("ada1"), .operation = STR_INIT("apply"),
	.who = STR_INIT("ada@box"), .version = STR_INIT("0.1.0"),
	.created = STR_INIT("2026-11-21T09:11:21Z"), .pid = 7,
	.run_url = STR_INIT("https://ci.example/7"),
};
static const struct mutex_holder bob = {
	.id = STR_INIT("bob2"), .operation = STR_INIT("destroy"),
	.who = STR_INIT("bob@box"),
};

static const enum depot_kind kinds[] = { DEPOT_HTTP, DEPOT_S3, DEPOT_ETCD };

static void
assert_str(struct str got, const char *wanted)
{
	if (!str_is(got, wanted))
		fail_msg("got '" STR_FMT "', wanted '%s'", STR_ARG(got),
		    wanted);
}

static void
assert_says(struct store_world *world, const char *words)
{
	struct str said = store_world_said(world);

	if (str_search(said, str_from(words)) < 0)
		fail_msg("'%s' is not in:\n" STR_FMT, words, STR_ARG(said));
}

/* A scenario of all kinds: two runs, ours and bob's, on one depot. */
struct pair {
	struct store_world world;
	struct store ours, other;
	struct mutex_holder holder;
};

static void
pair_open(struct pair *pair, enum depot_kind kind)
{
	struct depot_config config = { .kind = kind };

	store_world_open(&pair->world, &config);
	store_world_store(&pair->world, &pair->ours);
	store_world_store(&pair->world, &pair->other);
}

static void
pair_close(struct pair *pair)
{
	store_world_close(&pair->world);
}

static enum store_result
take(struct pair *pair, struct store *store)
{
	return store_take(store, store == &pair->ours ? &ada : &bob,
	    &pair->holder);
}

/* ------------------------------------------------------- conformance ---- */

static void
first_write_is_read_back(struct pair *pair)
{
	struct str text;

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	assert_int_equal(store_write(&pair->ours, STR("{\"serial\":1}")),
	    STORE_OK);
	assert_int_equal(store_write(&pair->ours, STR("{\"serial\":2}")),
	    STORE_OK);
	store_release(&pair->ours);
	assert_int_equal(store_read(&pair->other, &text), STORE_OK);
	assert_str(text, "{\"serial\":2}");
	assert_int_equal(pair->world.diags.errors, 0);
}

static void
second_taker_learns_who_works(struct pair *pair)
{
	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(take(pair, &pair->other), STORE_HELD);
	assert_str(pair->holder.id, "ada1");
	assert_str(pair->holder.who, "ada@box");
	assert_str(pair->holder.operation, "apply");
	assert_str(pair->holder.run_url, "https://ci.example/7");
	assert_str(pair->holder.created, "2026-11-21T09:11:21Z");
	store_release(&pair->ours);
	assert_int_equal(take(pair, &pair->other), STORE_OK);
	store_release(&pair->other);
	assert_int_equal(pair->world.diags.warnings, 0);
}

/* F41: the answer to a take is lost, and the retry meets its own hold. */
static void
own_hold_is_known(struct pair *pair)
{
	struct str text;

	depot_strike(pair->world.depot, DEPOT_LOST,
	    pair->ours.place.kind == STORE_ETCD ? 1 : 0, 1);
	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	assert_int_equal(store_write(&pair->ours, STR("x")), STORE_OK);
	assert_int_equal(take(pair, &pair->other), STORE_HELD);
}

static void
own_write_is_known(struct pair *pair)
{
	struct str text;

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	depot_strike(pair->world.depot, DEPOT_LOST, 0, 1);
	assert_int_equal(store_write(&pair->ours, STR("one")), STORE_OK);
	depot_strike(pair->world.depot, DEPOT_LOST, 0, 1);
	assert_int_equal(store_write(&pair->ours, STR("two")), STORE_OK);
	assert_str(depot_get(pair->world.depot,
	    store_world_record(&pair->world)), "two");
	assert_int_equal(pair->world.diags.errors, 0);
}

static void
dropped_write_is_sent_again(struct pair *pair)
{
	struct str text;

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	for (int fault = DEPOT_DROPPED; fault <= DEPOT_BUSY; fault++) {
		const char *words = fault == DEPOT_BUSY ? "busy" : "dropped";
		depot_strike(pair->world.depot, (enum depot_fault)fault, 0,
		    1);
		assert_int_equal(store_write(&pair->ours, str_from(words)),
		    STORE_OK);
		assert_str(depot_get(pair->world.depot,
		    store_world_record(&pair->world)), words);
	}
}

static void
silence_is_reported_within_its_time(struct pair *pair)
{
	struct str text;
	int64_t from_ms;

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	depot_strike(pair->world.depot, DEPOT_DROPPED, 0, SIZE_MAX);
	from_ms = pair->world.now_ms;
	assert_int_equal(store_write(&pair->ours, STR("x")), STORE_AWAY);
	assert_in_range(pair->world.now_ms - from_ms, 1000, 60000);
	assert_says(&pair->world, "cannot be reached: connection closed");
	assert_int_equal(store_read(&pair->other, &text), STORE_AWAY);
	assert_int_equal(take(pair, &pair->other), STORE_AWAY);
	depot_strike(pair->world.depot, DEPOT_BUSY, 0, SIZE_MAX);
	assert_int_equal(store_read(&pair->other, &text), STORE_AWAY);
	assert_says(&pair->world, "answers 503");
}

/* The user who presses Ctrl-C does not wait for five tries. */
static void
interruption_ends_trying(struct pair *pair)
{
	struct str text;
	size_t before = depot_requests(pair->world.depot);

	depot_strike(pair->world.depot, DEPOT_DROPPED, 0, SIZE_MAX);
	pair->world.interrupted = true;
	assert_int_equal(store_read(&pair->ours, &text), STORE_AWAY);
	assert_int_equal(depot_requests(pair->world.depot), before + 1);
}

/* R-01, F40: the hold was broken, and somebody else went on. */
static void
broken_holder_writes_no_more(struct pair *pair)
{
	struct str text;
	struct str record = STR("{\"serial\":1}");

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	assert_int_equal(store_write(&pair->ours, record), STORE_OK);
	assert_int_equal(store_break(&pair->other, STR("ada1"),
	    &pair->holder), STORE_OK);
	assert_int_equal(take(pair, &pair->other), STORE_OK);
	assert_int_equal(store_read(&pair->other, &text), STORE_OK);
	assert_int_equal(store_write(&pair->other, STR("{\"serial\":9}")),
	    STORE_OK);
	enum store_result result = store_write(&pair->ours,
	    STR("{\"serial\":2}"));
	assert_true(result == STORE_LOST || result == STORE_CHANGED);
	assert_false(store_may_send(&pair->ours, 0));
	assert_str(depot_get(pair->world.depot,
	    store_world_record(&pair->world)), "{\"serial\":9}");
	assert_says(&pair->world, "nothing more is sent from here");
	/* Nor does it try, nor end the other's hold in leaving. */
	size_t before = depot_requests(pair->world.depot);
	assert_int_equal(store_write(&pair->ours, STR("x")), STORE_LOST);
	store_release(&pair->ours);
	assert_int_equal(depot_requests(pair->world.depot), before);
	assert_int_equal(store_write(&pair->other, STR("{\"serial\":10}")),
	    STORE_OK);
}

static void
break_needs_the_right_id(struct pair *pair)
{
	enum store_result result;

	if (pair->ours.place.kind != STORE_HTTP)
		assert_int_equal(store_break(&pair->other, STR("ada1"),
		    &pair->holder), STORE_MISSING);
	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	result = store_break(&pair->other, STR("nobody"), &pair->holder);
	assert_int_equal(result, STORE_CHANGED);
	assert_int_equal(take(pair, &pair->other), STORE_HELD);
}

/* As above, where nobody else has written yet. */
static void
broken_hold_alone_stops_its_owner(struct pair *pair)
{
	struct lock lock = { .version = LOCK_VERSION, .serial = 4 };
	struct strbuf record = {0};
	struct str text;

	memcpy(lock.lineage.hex, "0123456789abcdef0123456789abcdef", 33);
	lock_write_text(&record, &lock);
	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	assert_int_equal(store_write(&pair->ours, strbuf_str(&record)),
	    STORE_OK);
	assert_int_equal(store_break(&pair->other, STR("ada1"),
	    &pair->holder), STORE_OK);
	lock.serial++;
	strbuf_release(&record);
	lock_write_text(&record, &lock);
	strbuf_addc(&record, '\n');
	enum store_result result = store_write(&pair->ours,
	    strbuf_str(&record));
	assert_true(result == STORE_LOST || result == STORE_CHANGED);
	strbuf_release(&record);
}

static void
requests_are_counted(struct pair *pair)
{
	struct str text;

	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	for (int i = 0; i < 10; i++)
		assert_int_equal(store_write(&pair->ours,
		    arena_printf(&pair->world.arena, "%d", i)), STORE_OK);
	store_release(&pair->ours);
	/* One to read, one for each write; etcd reads with its hold and needs
	 * a lease. */
	assert_int_equal(pair->ours.exchanges, 13);
	assert_int_equal(depot_requests(pair->world.depot), 13);
}

static void
old_text_is_not_written_over(struct pair *pair)
{
	struct str text;

	if (pair->ours.place.kind == STORE_HTTP)
		return;			/* has no condition on the text */
	assert_int_equal(take(pair, &pair->ours), STORE_OK);
	assert_int_equal(store_read(&pair->ours, &text), STORE_MISSING);
	assert_int_equal(store_write(&pair->ours, STR("ours")), STORE_OK);
	depot_put(pair->world.depot, store_world_record(&pair->world),
	    STR("theirs"));
	assert_int_equal(store_write(&pair->ours, STR("more")),
	    STORE_CHANGED);
	assert_says(&pair->world, "somebody else has written");
}

static const struct {
	const char *name;
	void (*run)(struct pair *pair);
} promises[] = {
#define PROMISE(name) { #name, name }
	PROMISE(first_write_is_read_back),
	PROMISE(second_taker_learns_who_works),
	PROMISE(own_hold_is_known),
	PROMISE(own_write_is_known),
	PROMISE(dropped_write_is_sent_again),
	PROMISE(silence_is_reported_within_its_time),
	PROMISE(interruption_ends_trying),
	PROMISE(broken_holder_writes_no_more),
	PROMISE(break_needs_the_right_id),
	PROMISE(broken_hold_alone_stops_its_owner),
	PROMISE(requests_are_counted),
	PROMISE(old_text_is_not_written_over),
#undef PROMISE
};

static void
test_store_every_kind_keeps_every_promise(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNTOF(kinds); k++)
		for (size_t i = 0; i < COUNTOF(promises); i++) {
			struct pair pair;
			print_message("# kind %zu: %s\n", k,
			    promises[i].name);
			pair_open(&pair, kinds[k]);
			promises[i].run(&pair);
			pair_close(&pair);
		}
}

/* --------------------------------------------------------- each kind ---- */

static void
test_store_s3_that_ignores_conditions_is_refused(void **state)
{
	struct depot_config config = { .kind = DEPOT_S3 };
	struct mutex_holder other;
	struct store store;

	(void)state;
	for (int ignores = 0; ignores < 2; ignores++) {
		struct store_world world;
		config.ignores_conditions = ignores;
		store_world_open(&world, &config);
		store_world_store(&world, &store);
		assert_int_equal(store_take(&store, &ada, &other), STORE_OK);
		assert_int_equal(store_probe(&store), ignores ?
		    STORE_REFUSED : STORE_OK);
		if (ignores)
			assert_says(&world, "ignores conditions");
		store_world_close(&world);
	}
}

static void
test_store_http_that_does_not_lock_is_refused(void **state)
{
	struct depot_config config = { .kind = DEPOT_HTTP,
		.cannot_lock = true };
	struct store_world world;
	struct mutex_holder other;
	struct store store;

	(void)state;
	store_world_open(&world, &config);
	store_world_store(&world, &store);
	assert_int_equal(store_take(&store, &ada, &other), STORE_REFUSED);
	assert_false(store.denied);
	assert_says(&world, "it answers 405");
	assert_says(&world, "podform needs a store that locks");
	store_world_close(&world);
}

static void
test_store_lease_is_renewed_and_its_end_noticed(void **state)
{
	struct depot_config config = { .kind = DEPOT_ETCD };
	struct store_world world;
	struct mutex_holder other;
	struct store store;
	struct str text;

	(void)state;
	store_world_open(&world, &config);
	store_world_store(&world, &store);
	assert_int_equal(store_renew_at(&store), INT64_MAX);
	assert_int_equal(store_take(&store, &ada, &other), STORE_OK);
	assert_int_equal(store_read(&store, &text), STORE_MISSING);
	assert_int_equal(store_renew_at(&store), 1000000 + 60000);
	/* 180 s less the margin of 10 s. */
	assert_true(store_may_send(&store, 60000));
	assert_false(store_may_send(&store, 170000));
	world.now_ms += 120000;
	assert_false(store_may_send(&store, 60000));
	assert_int_equal(store_renew(&store), STORE_OK);
	assert_true(store_may_send(&store, 60000));
	/* A laptop slept. */
	world.now_ms += 3600000;
	assert_false(store_may_send(&store, 0));
	assert_int_equal(store_renew(&store), STORE_LOST);
	assert_says(&world, "the hold on");
	assert_int_equal(store_write(&store, STR("x")), STORE_LOST);
	assert_int_equal(store_renew(&store), STORE_LOST);
	store_world_close(&world);
}

static void
test_store_dead_owners_lease_frees_the_hold(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, DEPOT_ETCD);
	assert_int_equal(take(&pair, &pair.ours), STORE_OK);
	assert_int_equal(take(&pair, &pair.other), STORE_HELD);
	pair.world.now_ms += 181000;
	assert_int_equal(take(&pair, &pair.other), STORE_OK);
	pair_close(&pair);
}

static void
test_store_etcd_logs_in_and_again_when_its_token_ends(void **state)
{
	struct depot_config config = { .kind = DEPOT_ETCD,
		.login = STR("root:secret") };
	struct store_world world;
	struct mutex_holder other;
	struct store store;

	(void)state;
	store_world_open(&world, &config);
	store_world_store(&world, &store);
	assert_int_equal(store_take(&store, &ada, &other), STORE_REFUSED);
	assert_true(store.denied);
	assert_says(&world, "it answers 401");
	assert_says(&world, "PODFORM_STORE_USERNAME");
	store.login = STR("root:wrong");
	assert_int_equal(store_take(&store, &ada, &other), STORE_REFUSED);
	assert_says(&world, "does not let us log in");
	store.login = STR("root:secret");
	assert_int_equal(store_take(&store, &ada, &other), STORE_OK);
	store.token = STR("ended");
	assert_int_equal(store_renew(&store), STORE_OK);
	assert_str(store.token, "simple.1");
	store_world_close(&world);
}

static void
test_store_etcd_says_what_is_too_large(void **state)
{
	struct depot_config config = { .kind = DEPOT_ETCD,
		.max_value = 2000 };
	struct store_world world;
	struct mutex_holder other;
	struct store store;
	struct str text;
	char large[3000];

	(void)state;
	memset(large, ' ', sizeof large);
	store_world_open(&world, &config);
	store_world_store(&world, &store);
	assert_int_equal(store_take(&store, &ada, &other), STORE_OK);
	assert_int_equal(store_read(&store, &text), STORE_MISSING);
	assert_int_equal(store_write(&store,
	    (struct str){ large, sizeof large }), STORE_REFUSED);
	assert_says(&world, "--max-request-bytes");
	store_world_close(&world);
}

/* GitLab locks by POST and DELETE of .../lock. */
static void
test_store_http_speaks_gitlabs_way(void **state)
{
	struct depot_config config = { .kind = DEPOT_HTTP };
	struct store_world world;
	struct store_place place;
	struct mutex_holder other;
	struct store store, second;
	struct str text, why;

	(void)state;
	store_world_open(&world, &config);
	store_world_store(&world, &store);
	store_world_store(&world, &second);
	assert_true(store_parse(&world.arena, STR("https://gitlab.example/api/"
	    "v4/projects/7/terraform/state/pods"), &place, &why));
	store.place = second.place = place;
	world.logging = true;
	assert_int_equal(store_take(&store, &ada, &other), STORE_OK);
	assert_int_equal(store_take(&second, &bob, &other), STORE_HELD);
	assert_str(other.id, "ada1");
	assert_int_equal(store_read(&store, &text), STORE_MISSING);
	assert_int_equal(store_write(&store, STR("{}")), STORE_OK);
	store_release(&store);
#define AT "/api/v4/projects/7/terraform/state/pods"
	assert_str(strbuf_str(&world.log),
	    "POST " AT "/lock -> 200\nPOST " AT "/lock -> 423\n"
	    "GET " AT " -> 404\nPOST " AT "?ID=ada1 -> 200\n"
	    "DELETE " AT "/lock?ID=ada1 -> 200\n");
	store_world_close(&world);
}

static void
test_store_release_that_fails_is_a_warning(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		struct pair pair;
		pair_open(&pair, kinds[k]);
		assert_int_equal(take(&pair, &pair.ours), STORE_OK);
		depot_strike(pair.world.depot, DEPOT_DROPPED, 0, SIZE_MAX);
		store_release(&pair.ours);
		assert_int_equal(pair.world.diags.warnings, 1);
		assert_says(&pair.world, "podform unlock ada1");
		store_release(&pair.ours);
		assert_int_equal(pair.world.diags.warnings, 1);
		pair_close(&pair);
	}
}

/* ------------------------------------------------------------- place ---- */

static void
test_store_place_of_each_address(void **state)
{
	static const struct {
		const char *text;
		enum store_kind kind;
		const char *base, *path, *query;
	} rows[] = {
		{ "podform.lock", STORE_FILE, "podform.lock", "", "" },
		{ "file:a/b.lock", STORE_FILE, "a/b.lock", "", "" },
		{ "file:///a/b.lock", STORE_FILE, "/a/b.lock", "", "" },
		{ "https://h/p", STORE_HTTP, "https://h", "/p", "" },
		{ "https://h:8/p/q?x=1&y=2", STORE_HTTP, "https://h:8",
		    "/p/q", "?x=1&y=2" },
		{ "http://127.0.0.1:9/p", STORE_HTTP, "http://127.0.0.1:9",
		    "/p", "" },
		{ "http://[::1]:9/p", STORE_HTTP, "http://[::1]:9", "/p",
		    "" },
		{ "s3://b/k", STORE_S3, "https://b.s3.us-east-1.amazonaws.com",
		    "/k", "" },
		{ "s3://b/a/k?region=eu-west-1", STORE_S3,
		    "https://b.s3.eu-west-1.amazonaws.com", "/a/k", "" },
		{ "s3://b.c/k", STORE_S3, "https://s3.us-east-1.amazonaws.com",
		    "/b.c/k", "" },
		{ "s3://b/k?endpoint=http://localhost:9000/&region=x",
		    STORE_S3, "http://localhost:9000", "/b/k", "" },
		{ "etcd://h/k", STORE_ETCD, "https://h:2379", "k", "" },
		{ "etcd://127.0.0.1:7/a/k", STORE_ETCD, "http://127.0.0.1:7",
		    "a/k", "" },
		{ "etcd://[::1]/k", STORE_ETCD, "http://[::1]:2379", "k",
		    "" },
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct store_place place;
		struct str why = {0};
		if (!store_parse(&arena, str_from(rows[i].text), &place, &why))
			fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(why));
		assert_int_equal(place.kind, rows[i].kind);
		assert_str(place.kind == STORE_FILE ? place.file : place.base,
		    rows[i].base);
		assert_str(place.path, rows[i].path);
		assert_str(place.query, rows[i].query);
		assert_str(place.shown, rows[i].text);
	}
	arena_release(&arena);
}

static void
test_store_place_refuses_what_is_no_address(void **state)
{
	static const char *const rows[][2] = {
		{ "", "names no file" },
		{ "file:", "names no file" },
		{ "ftp://h/p", "file:, https:, s3: or etcd:" },
		{ "https://h", "no record there" },
		{ "https://h/", "no record there" },
		{ "https:///p", "no host" },
		{ "https://u:p@h/p", "PODFORM_STORE_USERNAME" },
		{ "http://h/p", "for this machine alone" },
		{ "http://127.0.0.1.example/p", "for this machine alone" },
		{ "https://h/p#f", "no address has" },
		{ "https://h/a b", "no address has" },
		{ "s3://b", "s3://BUCKET/KEY" },
		{ "s3://b/", "s3://BUCKET/KEY" },
		{ "s3://b/a//k", "s3://BUCKET/KEY" },
		{ "s3://b/../k", "s3://BUCKET/KEY" },
		{ "s3://b_/k", "s3://BUCKET/KEY" },
		{ "s3://b/k?region=a/b", "region" },
		{ "s3://b/k?endpoint=ftp://x", "begins with https://" },
		{ "s3://b/k?endpoint=http://x", "for this machine alone" },
		{ "etcd://h", "etcd://HOST:PORT/KEY" },
		{ "etcd://u@h/k", "PODFORM_STORE_USERNAME" },
		{ "etcd:///k", "no host" },
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct store_place place;
		struct str why = {0};
		if (store_parse(&arena, str_from(rows[i][0]), &place, &why))
			fail_msg("%s was taken", rows[i][0]);
		if (str_search(why, str_from(rows[i][1])) < 0)
			fail_msg("%s: " STR_FMT, rows[i][0], STR_ARG(why));
	}
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_every_kind_keeps_every_promise),
		cmocka_unit_test(
		    test_store_s3_that_ignores_conditions_is_refused),
		cmocka_unit_test(
		    test_store_http_that_does_not_lock_is_refused),
		cmocka_unit_test(
		    test_store_lease_is_renewed_and_its_end_noticed),
		cmocka_unit_test(test_store_dead_owners_lease_frees_the_hold),
		cmocka_unit_test(
		    test_store_etcd_logs_in_and_again_when_its_token_ends),
		cmocka_unit_test(test_store_etcd_says_what_is_too_large),
		cmocka_unit_test(test_store_http_speaks_gitlabs_way),
		cmocka_unit_test(test_store_release_that_fails_is_a_warning),
		cmocka_unit_test(test_store_place_of_each_address),
		cmocka_unit_test(test_store_place_refuses_what_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
