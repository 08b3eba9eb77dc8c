/* test_cloud.c - words, and configurations made comparable */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/cloud.h"

static void
test_cloud_every_op_has_words(void **state)
{
	(void)state;
	for (int op = 0; op < CLOUD_OP_COUNT; op++)
		assert_true(strlen(cloud_op_words((enum cloud_op)op)) > 0);
	assert_string_equal(cloud_op_words(CLOUD_CREATE_POD), "create pod");
	assert_string_equal(cloud_op_words(CLOUD_LIST_VOLUMES),
	    "list volumes");
}

/* The whole table: an op missing here would be sent twice after a failure. */
static void
test_cloud_ops_that_change_something(void **state)
{
	(void)state;
	static const bool changes[CLOUD_OP_COUNT] = {
		[CLOUD_CREATE_POD] = true, [CLOUD_UPDATE_POD] = true,
		[CLOUD_START_POD] = true, [CLOUD_STOP_POD] = true,
		[CLOUD_RESTART_POD] = true, [CLOUD_DELETE_POD] = true,
		[CLOUD_CREATE_VOLUME] = true, [CLOUD_UPDATE_VOLUME] = true,
		[CLOUD_DELETE_VOLUME] = true,
	};
	for (int op = 0; op < CLOUD_OP_COUNT; op++)
		assert_int_equal(cloud_op_changes((enum cloud_op)op),
		    changes[op]);
}

static void
test_cloud_sort_orders_ports_by_number(void **state)
{
	(void)state;
	struct str ports[] = {
		STR_INIT("8188/http"), STR_INIT("22/tcp"), STR_INIT("8188/tcp"),
		STR_INIT("443/http"), STR_INIT("22/tcp"), STR_INIT("x/tcp"),
		STR_INIT("+7/tcp"),
		STR_INIT("99999999999999/tcp"), STR_INIT("65535/tcp"),
		STR_INIT("80"),
	};
	struct pod_config config = { .ports = ports,
		.nports = COUNTOF(ports) };
	static const char *const want[] = { "+7/tcp",
		"99999999999999/tcp", "x/tcp", "22/tcp", "80", "443/http", "8188/http", "8188/tcp",
		"65535/tcp" };
	pod_config_sort(&config);
	assert_int_equal(config.nports, COUNTOF(want));
	for (size_t i = 0; i < COUNTOF(want); i++)
		assert_true(str_is(config.ports[i], want[i]));
}

static void
test_cloud_sort_orders_env_and_drops_the_mark(void **state)
{
	(void)state;
	struct env_var env[] = {
		{ STR_INIT("MODE"), STR_INIT("train"), false },
		{ STR_INIT("PODFORM_MARK"), STR_INIT("v1"), false },
		{ STR_INIT("KEY"), STR_INIT("2"), true },
		{ STR_INIT("KEY"), STR_INIT("1"), false },
	};
	struct pod_config config = { .env = env, .nenv = COUNTOF(env) };
	pod_config_sort(&config);
	assert_int_equal(config.nenv, 3);
	assert_true(str_is(config.env[0].value, "1"));
	assert_true(str_is(config.env[1].value, "2"));
	assert_true(config.env[1].sensitive);
	assert_true(str_is(config.env[2].name, "MODE"));
}

static void
test_cloud_sort_of_nothing_is_nothing(void **state)
{
	(void)state;
	struct pod_config config = {0};
	pod_config_sort(&config);
	assert_int_equal(config.nports, 0);
	assert_int_equal(config.nenv, 0);
	struct env_var mark = { STR_INIT("PODFORM_MARK"), STR_INIT("v1"),
		false };
	config.env = &mark;
	config.nenv = 1;
	pod_config_sort(&config);
	assert_int_equal(config.nenv, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cloud_every_op_has_words),
		cmocka_unit_test(test_cloud_ops_that_change_something),
		cmocka_unit_test(test_cloud_sort_orders_ports_by_number),
		cmocka_unit_test(
		    test_cloud_sort_orders_env_and_drops_the_mark),
		cmocka_unit_test(test_cloud_sort_of_nothing_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
