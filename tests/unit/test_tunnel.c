/* test_tunnel.c - where a tunnel is found */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/tunnel.h"

static struct tunnel_config
local(const char *address, uint16_t port, uint16_t remote, const char *check)
{
	return (struct tunnel_config){ .local_address = str_from(address),
		.local_port = port, .remote_host = STR("127.0.0.1"),
		.remote_port = remote, .pod = STR("pod.a"),
		.check = check == NULL ? (struct str){0} : str_from(check) };
}

static void
test_tunnel_url_is_where_people_find_it(void **state)
{
	const struct {
		struct tunnel_config config;
		enum tunnel_direction direction;
		uint16_t port;
		const char *url;
	} rows[] = {
		{ local("127.0.0.1", 8188, 8188, NULL), TUNNEL_LOCAL, 0,
		    "http://localhost:8188" },
		{ local("127.0.0.1", 0, 80, NULL), TUNNEL_LOCAL, 8080,
		    "http://localhost:8080" },
		{ local("127.0.0.1", 9999, 4242, "http://127.0.0.1:9999/x"),
		    TUNNEL_LOCAL, 9999, "http://localhost:9999" },
		{ local("0.0.0.0", 1, 2, "https://localhost:1/"),
		    TUNNEL_LOCAL, 1, "https://localhost:1" },
		{ local("::1", 8443, 443, NULL), TUNNEL_LOCAL, 8443,
		    "https://[::1]:8443" },
		{ local("127.0.0.1", 443, 4242, NULL), TUNNEL_LOCAL, 443,
		    "https://localhost:443" },
		{ local("::1", 0, 0, NULL), TUNNEL_DYNAMIC, 1080,
		    "socks5h://[::1]:1080" },
		{ local("127.0.0.1", 1080, 0, NULL), TUNNEL_DYNAMIC, 0,
		    "socks5h://127.0.0.1:1080" },
		{ local("10.0.0.7", 80, 80, NULL), TUNNEL_LOCAL, 80,
		    "http://10.0.0.7:80" },
		{ local("127.0.0.1", 5432, 5432, NULL), TUNNEL_LOCAL, 5432,
		    "127.0.0.1:5432" },
		{ local("/run/web.sock", 0, 80, NULL), TUNNEL_LOCAL, 0,
		    "/run/web.sock" },
		{ local("127.0.0.1", 0, 0, NULL), TUNNEL_DYNAMIC, 1080,
		    "socks5h://127.0.0.1:1080" },
		{ local("127.0.0.1", 3000, 9000, NULL), TUNNEL_REMOTE, 0,
		    "127.0.0.1:9000 in pod.a" },
		{ local("127.0.0.1", 3000, 0, NULL), TUNNEL_REMOTE, 41000,
		    "127.0.0.1:41000 in pod.a" },
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct tunnel_status status = { .config = rows[i].config,
			.port = rows[i].port };
		status.config.direction = rows[i].direction;
		assert_string_equal(tunnel_url(&arena, &status).data,
		    rows[i].url);
	}
	arena_release(&arena);
}

static void
test_tunnel_words_are_read_as_they_are_written(void **state)
{
	static const char *const none[] = { "", "u", "upp", "UP", "remotely" };
	enum tunnel_state found;
	enum tunnel_direction way;

	(void)state;
	for (enum tunnel_state i = 0; i < TUNNEL_STATE_COUNT; i++) {
		assert_true(tunnel_state_parse(str_from(tunnel_state_name(i)),
		    &found));
		assert_int_equal(found, i);
	}
	for (enum tunnel_direction i = 0; i <= TUNNEL_DYNAMIC; i++) {
		assert_true(tunnel_direction_parse(str_from(
		    tunnel_direction_name(i)), &way));
		assert_int_equal(way, i);
	}
	for (size_t i = 0; i < COUNTOF(none); i++) {
		assert_false(tunnel_state_parse(str_from(none[i]), &found));
		assert_false(tunnel_direction_parse(str_from(none[i]), &way));
	}
	assert_string_equal(tunnel_state_name(TUNNEL_WAITING),
	    "waiting-for-pod");
}

/* Each part of it but the pod's id makes it another one. */
static void
test_tunnel_is_the_same_when_all_its_parts_are(void **state)
{
	struct tunnel_config a = local("127.0.0.1", 8188, 80, "http://x/");

	(void)state;
	a.address = STR("tunnel.web");
	a.user = STR("root");
	a.key = STR("id");
	a.pod_id = STR("p1");
	struct tunnel_config rows[11];
	for (size_t i = 0; i < COUNTOF(rows); i++)
		rows[i] = a;
	rows[0].address = STR("tunnel.wob");
	rows[1].direction = TUNNEL_REMOTE;
	rows[2].local_address = STR("::1");
	rows[3].local_port++;
	rows[4].remote_host = STR("::1");
	rows[5].remote_port++;
	rows[6].check = (struct str){0};
	rows[7].pod = STR("pod.b");
	rows[8].user = STR("me");
	rows[9].key = STR("other");
	rows[10].pod_id = STR("p2");
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_int_equal(tunnel_config_eq(&a, &rows[i]), i == 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_tunnel_words_are_read_as_they_are_written),
		cmocka_unit_test(
		    test_tunnel_is_the_same_when_all_its_parts_are),
		cmocka_unit_test(test_tunnel_url_is_where_people_find_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
