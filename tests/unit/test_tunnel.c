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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnel_url_is_where_people_find_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
