/*
 * test_spec_files.c - which files are a spec, and the files a spec names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "spec_world.h"

#define POD(name) "pods: { " name ": { image: a:1, gpu: A40 } }\n"

static void
says(struct spec_world *world, const char *heads)
{
	spec_world_load(world);
	assert_string_equal(spec_world_heads(world), heads);
	spec_world_text(world);
	spec_world_release(world);
}

static void
test_spec_files_are_merged_in_order(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "b.yml", STR("project: t\n" POD("b")));
	spec_world_put(&world, "a.yaml", STR(POD("a")));
	spec_world_put(&world, "notes.txt", STR("[[["));
	spec_world_put(&world, ".hidden.yaml", STR("[[["));
	spec_world_put(&world, "a.yaml~", STR("[[["));
	spec_world_put(&world, ".a.yaml.swp", STR("[[["));
	spec_world_put(&world, "#a.yaml#", STR("[[["));
	spec_world_put(&world, "#b.yaml", STR("[[["));
	spec_world_put(&world, "4913", STR("[[["));
	assert_non_null(spec_world_load(&world));
	assert_int_equal(world.spec->nfiles, 2);
	assert_true(str_is(sources_get(&world.sources, 1)->name,
	    "/p/specs/a.yaml"));
	assert_true(str_is(sources_get(&world.sources, 2)->name,
	    "/p/specs/b.yml"));
	assert_non_null(spec_find(world.spec, STR("pod.a")));
	assert_non_null(spec_find(world.spec, STR("pod.b")));
	says(&world, "");
}

static void
test_spec_files_name_both_places_of_one_address(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("project: t\n"
	    "settings: { parallelism: 1 }\n"
	    "defaults: { pod: { cloud: any } }\n"
	    "volumes: { v: { size: 10GB, data_center: X } }\n" POD("x")));
	spec_world_put(&world, "b.yaml", STR("project: t\n"
	    "settings: { parallelism: 1 }\n"
	    "defaults: { pod: { disk: 30GB } }\n"
	    "volumes: { v: { size: 10GB, data_center: X } }\n" POD("x")));
	says(&world,
	    "b.yaml:4:12: error: volume 'v' is in two files: here and in "
	    "/p/specs/a.yaml:4 [PF0120]\n"
	    "b.yaml:5:9: error: pod 'x' is in two files: here and in "
	    "/p/specs/a.yaml:5 [PF0120]\n"
	    "b.yaml:1:10: error: 'project' is given in two files: here and "
	    "in /p/specs/a.yaml:1 [PF0120]\n"
	    "b.yaml:2:11: error: 'settings' is given in two files: here and "
	    "in /p/specs/a.yaml:2 [PF0120]\n"
	    "b.yaml:3:11: error: 'defaults' is given in two files: here and "
	    "in /p/specs/a.yaml:3 [PF0120]\n");
}

static void
test_spec_files_empty_ones(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	says(&world, "error: no *.yaml or *.yml file in '/p/specs' "
	    "[PF0108]\n");
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("# nothing\n"));
	spec_world_put(&world, "b.yaml", STR(""));
	says(&world, "b.yaml:1:1: error: the spec is empty [PF0108]\n");
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("# nothing\n"));
	spec_world_put(&world, "b.yaml", STR("project: t\n" POD("b")));
	says(&world, "a.yaml:1:1: warning: this file is empty [PF0137]\n");
}

static void
test_spec_files_given_by_name_and_on_stdin(void **state)
{
	static const struct str paths[] = { STR_INIT("-"),
		STR_INIT("/p/x.conf"), STR_INIT("/p/gone.yaml") };
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	world.options.paths = paths;
	world.options.npaths = 2;
	world.options.stdin_text = STR("project: t\npods: { s: { gpus: 1 } }\n");
	fake_fs_put(world.fake, "/p/x.conf", STR(POD("x")), 0600);
	says(&world,
	    "<stdin>:2:14: error: unknown field 'gpus' in pod 's' [PF0103]\n"
	    "<stdin>:2:9: error: pod 's' has no 'image' [PF0111]\n");
	spec_world_init(&world);
	world.options.paths = paths;
	world.options.npaths = 3;
	world.options.stdin_text = STR("project: t\n");
	fake_fs_put(world.fake, "/p/x.conf", STR(POD("x")), 0600);
	says(&world, "error: cannot read '/p/gone.yaml': No such file or "
	    "directory [PF0100]\n");
}

/* P-02, P-03, P-06 of the files of a spec themselves. */
static void
test_spec_files_that_are_no_files(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("project: t\n" POD("a")));
	fake_fs_put(world.fake, "/p/out.yaml", STR(POD("x")), 0600);
	fake_fs_put_dir(world.fake, "/p/specs/b.yaml", 0755);
	fake_fs_put_fifo(world.fake, "/p/specs/c.yaml");
	fake_fs_put_link(world.fake, "/p/specs/d.yaml", "/p/out.yaml");
	fake_fs_put_link(world.fake, "/p/specs/e.yaml", "/p/specs/gone");
	fake_fs_put_link(world.fake, "/p/specs/f.yaml", "/p/specs/f.yaml");
	says(&world,
	    "error: cannot read '/p/specs/b.yaml': Is a directory [PF0100]\n"
	    "error: '/p/specs/c.yaml' is no regular file [PF0100]\n"
	    "error: '/p/specs/d.yaml' is a link that leads out of the "
	    "directory: to '/p/out.yaml' [PF0134]\n"
	    "error: cannot read '/p/specs/e.yaml': No such file or directory "
	    "[PF0100]\n"
	    "error: cannot read '/p/specs/f.yaml': Too many levels of "
	    "symbolic links [PF0100]\n");
}

/* A mounted configuration is links within its own directory. */
static void
test_spec_files_linked_within_their_directory(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	fake_fs_put_dir(world.fake, "/p/specs/..data", 0755);
	fake_fs_put(world.fake, "/p/specs/..data/a.yaml",
	    STR("project: t\n" POD("a")), 0644);
	fake_fs_put_link(world.fake, "/p/specs/a.yaml",
	    "/p/specs/..data/a.yaml");
	says(&world, "");
}

/* Load with secret K from `file`; /p/specs holds one of each kind. */
static void
secret_says(const char *file, const char *heads)
{
	struct spec_world world;
	struct strbuf text = {0};

	spec_world_init(&world);
	strbuf_addf(&text, "project: t\nsecrets:\n  K: { file: %s }\n", file);
	spec_world_put(&world, "a.yaml", strbuf_str(&text));
	spec_world_put(&world, "good", STR("s3cret"));
	fake_fs_put(world.fake, "/p/outside", STR("s3cret"), 0600);
	fake_fs_put_dir(world.fake, "/p/specs/dir", 0755);
	fake_fs_put_fifo(world.fake, "/p/specs/fifo");
	fake_fs_put_link(world.fake, "/p/specs/out", "/p/outside");
	fake_fs_put_link(world.fake, "/p/specs/in", "/p/specs/good");
	fake_fs_put_link(world.fake, "/p/specs/gone", "/p/specs/nothing");
	fake_fs_put_link(world.fake, "/p/specs/loop", "/p/specs/loop");
	struct strbuf large = {0};
	strbuf_pad(&large, (1 << 20) + 1, 'x');
	spec_world_put(&world, "large", strbuf_str(&large));
	says(&world, heads);
	strbuf_release(&large);
	strbuf_release(&text);
}

static void
test_spec_files_of_secrets(void **state)
{
	(void)state;
	secret_says("good", "");
	secret_says("in", "");
	secret_says("./good", "");
	secret_says("/p/outside", "");
	/* It may come later; who reads it will see. */
	secret_says("not-there-yet", "");
	secret_says("../outside", "a.yaml:3:14: error: the file of a secret "
	    "is outside of the directory of the spec [PF0134]\n");
	secret_says("dir/../../../etc/passwd", "a.yaml:3:14: error: the file "
	    "of a secret is outside of the directory of the spec "
	    "[PF0134]\n");
	secret_says("out", "a.yaml:3:14: error: the file of a secret is "
	    "outside of the directory of the spec [PF0134]\n");
	secret_says("fifo", "a.yaml:3:14: error: the file of a secret is no "
	    "regular file [PF0135]\n");
	secret_says("dir", "a.yaml:3:14: error: the file of a secret is a "
	    "directory [PF0135]\n");
	secret_says("gone", "a.yaml:3:14: error: cannot use the file of a "
	    "secret: No such file or directory [PF0135]\n");
	secret_says("loop", "a.yaml:3:14: error: cannot use the file of a "
	    "secret: Too many levels of symbolic links [PF0135]\n");
	secret_says("large", "a.yaml:3:14: error: the file of a secret is "
	    "larger than 1024 KiB [PF0107]\n");
}

static void
test_spec_files_secret_paths_lead_from_where_podform_runs(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("project: t\nsecrets:\n"
	    "  A: { file: a.key }\n  B: { file: /run/b }\n"
	    "  C: { file: ~/c }\n  D: { command: [pass, show, d] }\n"));
	assert_non_null(spec_world_load(&world));
	const struct secret_decl *secrets = world.spec->secrets;
	assert_true(str_is(secrets[0].source, "/p/specs/a.key"));
	assert_true(str_is(secrets[1].source, "/run/b"));
	assert_true(str_is(secrets[2].source, "/home/u/c"));
	assert_int_equal(secrets[3].from, SECRET_COMMAND);
	assert_int_equal(secrets[3].ncommand, 3);
	says(&world, "");
}

static void
test_spec_files_private_keys(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("project: t\npods:\n"
	    "  a: { image: a, gpu: A40, ssh: { key: open } }\n"
	    "  b: { image: a, gpu: A40, ssh: { key: shut } }\n"
	    "  c: { image: a, gpu: A40, ssh: { key: . } }\n"));
	fake_fs_put(world.fake, "/p/specs/open", STR("x"), 0640);
	fake_fs_put(world.fake, "/p/specs/shut", STR("x"), 0600);
	spec_world_load(&world);
	assert_non_null(strstr(spec_world_text(&world),
	    "   hint: chmod 600 /p/specs/open\n"));
	assert_string_equal(spec_world_heads(&world),
	    "a.yaml:3:40: error: the key is open to other users [PF0136]\n"
	    "a.yaml:5:40: error: the key is a directory [PF0135]\n");
	spec_world_release(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_files_are_merged_in_order),
		cmocka_unit_test(
		    test_spec_files_name_both_places_of_one_address),
		cmocka_unit_test(test_spec_files_empty_ones),
		cmocka_unit_test(test_spec_files_given_by_name_and_on_stdin),
		cmocka_unit_test(test_spec_files_that_are_no_files),
		cmocka_unit_test(
		    test_spec_files_linked_within_their_directory),
		cmocka_unit_test(test_spec_files_of_secrets),
		cmocka_unit_test(
		    test_spec_files_secret_paths_lead_from_where_podform_runs),
		cmocka_unit_test(test_spec_files_private_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
