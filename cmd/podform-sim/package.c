/* package.c - see package.h: scripts, tar, gzip. */
#include "package.h"

#include <assert.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

/* The program, by the linker. */
extern const char _binary_standin_start[], _binary_standin_end[];

static const char config_sh[] =
    "#!/bin/bash\n"
    "# A stand-in: this registers with podform-sim.\n"
    "if [ \"$(id -u)\" = 0 ] && [ -z \"$RUNNER_ALLOW_RUNASROOT\" ]; then\n"
    "	echo 'Must not run with sudo'\n"
    "	exit 1\n"
    "fi\n"
    "cd \"$(dirname \"${BASH_SOURCE[0]}\")\" || exit 1\n"
    "if [ -n \"$STANDIN_NO_ICU\" ]; then\n"
    "	echo \"Libicu's dependencies is missing for Dotnet Core 6.0\"\n"
    "	echo 'Execute sudo ./bin/installdependencies.sh to install any"
    " missing Dotnet Core 6.0 dependencies.'\n"
    "	exit 1\n"
    "fi\n"
    "[ -e .path ] || echo \"$PATH\" >.path\n"
    "[ -e .env ] || printf 'LANG=%s\\n' \"${LANG:-C.UTF-8}\" >.env\n"
    "if [ \"$1\" = remove ]; then\n"
    "	shift\n"
    "	exec ./bin/Runner.Listener remove \"$@\"\n"
    "fi\n"
    "exec ./bin/Runner.Listener configure \"$@\"\n";

static const char run_sh[] =
    "#!/bin/bash\n"
    "# A stand-in: starts the listener, again and again where it asks so.\n"
    "cd \"$(dirname \"${BASH_SOURCE[0]}\")\" || exit 1\n"
    "once() {\n"
    "	cp -f run-helper.sh.template run-helper.sh\n"
    "	if [ -z \"$RUNNER_MANUALLY_TRAP_SIG\" ]; then\n"
    "		bash ./run-helper.sh $*\n"
    "		return\n"
    "	fi\n"
    "	set -m\n"
    "	bash ./run-helper.sh $* &\n"
    "	helper=$!\n"
    "	trap 'kill -INT -- -$helper' INT TERM\n"
    "	wait $helper\n"
    "}\n"
    "while :; do\n"
    "	once \"$@\"\n"
    "	status=$?\n"
    "	case $status in\n"
    "	2) echo 'Restarting runner...' ;;\n"
    "	7) exit 7 ;;\n"
    "	*)\n"
    "		echo 'Exiting runner...'\n"
    "		[ -n \"$RUNNER_MANUALLY_TRAP_SIG\" ] && exit $status\n"
    "		exit 0 ;;\n"
    "	esac\n"
    "done\n";

static const char run_helper[] =
    "#!/bin/bash\n"
    "# A stand-in: one life of the listener, and what its code means.\n"
    "if [ \"$(id -u)\" = 0 ] && [ -z \"$RUNNER_ALLOW_RUNASROOT\" ]; then\n"
    "	echo 'Must not run interactively with sudo'\n"
    "	exit 1\n"
    "fi\n"
    "cd \"$(dirname \"${BASH_SOURCE[0]}\")\" || exit 1\n"
    "./bin/Runner.Listener run $*\n"
    "status=$?\n"
    "said='Runner listener exit with'\n"
    "case $status in\n"
    "0)\n"
    "	echo \"$said 0 return code, stop the service, no retry needed.\"\n"
    "	exit 0 ;;\n"
    "1)\n"
    "	echo \"$said terminated error, stop the service, no retry"
    " needed.\"\n"
    "	exit 0 ;;\n"
    "2)\n"
    "	echo \"$said retryable error, re-launch runner in 5 seconds.\"\n"
    "	sleep ${STANDIN_FAST:+0.}5\n"
    "	exit 2 ;;\n"
    "3|4)\n"
    "	echo \"$said because of updating, re-launch runner after"
    " successful update\"\n"
    "	exit 2 ;;\n"
    "5)\n"
    "	echo \"$said Session Conflict error, stop the service, no retry"
    " needed.\"\n"
    "	exit 0 ;;\n"
    "7)\n"
    "	echo \"$said deprecated version exit code, stop the service, no"
    " retry needed.\"\n"
    "	exit 7 ;;\n"
    "*)\n"
    "	echo \"Exiting with unknown error code: $status\"\n"
    "	exit 0 ;;\n"
    "esac\n";

static const char env_sh[] = "#!/bin/bash\n# A stand-in.\n";

/* ----------------------------------------------------------------- tar -- */

enum { BLOCK = 512 };

/* A header in the ustar form; directories have no content. */
static void
add_entry(struct strbuf *tar, const char *name, const char *mode,
    struct str content, bool directory)
{
	char header[BLOCK] = {0};
	unsigned sum = 8 * ' ';

	snprintf(header, 100, "./%s", name);
	snprintf(header + 100, 8, "%s", mode);
	snprintf(header + 108, 8, "0000000");
	snprintf(header + 116, 8, "0000000");
	snprintf(header + 124, 12, "%011zo", content.len);
	snprintf(header + 136, 12, "%011o", 1767225600u);	/* 2026 */
	header[156] = directory ? '5' : '0';
	memcpy(header + 257, "ustar\0" "00", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	header[155] = ' ';
	strbuf_add(tar, (struct str){ header, BLOCK });
	strbuf_add(tar, content);
	strbuf_pad(tar, (BLOCK - content.len % BLOCK) % BLOCK, '\0');
}

/* The program, with its version in place. */
static struct str
program(struct arena *arena, const char *version)
{
	static const char mark[] = "STANDIN-VERSION";
	struct str bytes = { _binary_standin_start,
	    (size_t)((uintptr_t)_binary_standin_end -
		(uintptr_t)_binary_standin_start) };
	char *copy = arena_alloc(arena, bytes.len);
	ptrdiff_t at = str_search(bytes, STR("STANDIN-VERSION"));

	assert(at >= 0 && strlen(version) < sizeof mark);
	memcpy(copy, bytes.data, bytes.len);
	memset(copy + at, '\0', sizeof mark);
	memcpy(copy + at, version, strlen(version));
	return (struct str){ copy, bytes.len };
}

/* ---------------------------------------------------------------- gzip -- */

static uint32_t
crc_of(struct str bytes)
{
	uint32_t crc = ~UINT32_C(0);

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (unsigned char)bytes.data[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (UINT32_C(0xedb88320) & -(crc & 1));
	}
	return ~crc;
}

static void
add_little_endian(struct strbuf *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		strbuf_addc(out, (char)(value >> 8 * i & 255));
}

/* Stored, not compressed: it goes no further than this machine. */
static void
add_gzip(struct strbuf *out, struct str bytes)
{
	enum { PIECE = 65535 };

	strbuf_add(out, (struct str){
	    "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10 });
	for (size_t at = 0; at < bytes.len; at += PIECE) {
		struct str piece = str_sub(bytes, at, PIECE);
		strbuf_addc(out, at + piece.len == bytes.len);
		add_little_endian(out, piece.len, 2);
		add_little_endian(out, ~piece.len, 2);
		strbuf_add(out, piece);
	}
	add_little_endian(out, crc_of(bytes), 4);
	add_little_endian(out, bytes.len, 4);
}

struct package
package_make(struct arena *arena, const char *version)
{
	struct str binary = program(arena, version);
	struct strbuf tar = {0}, gzip = {0};
	char digest[SHA256_DIGEST_STRING_LENGTH];
	struct package package = { .version = version };

	add_entry(&tar, "bin/", "0000755", STR(""), true);
	add_entry(&tar, "externals/", "0000755", STR(""), true);
	add_entry(&tar, "config.sh", "0000755", str_from(config_sh), false);
	add_entry(&tar, "run.sh", "0000755", str_from(run_sh), false);
	add_entry(&tar, "env.sh", "0000755", str_from(env_sh), false);
	add_entry(&tar, "run-helper.sh.template", "0000755",
	    str_from(run_helper), false);
	add_entry(&tar, "bin/Runner.Listener", "0000755", binary, false);
	add_entry(&tar, "bin/Runner.Worker", "0000755", binary, false);
	strbuf_pad(&tar, (size_t)2 * BLOCK, '\0');
	add_gzip(&gzip, strbuf_str(&tar));
	assert(!tar.failed && !gzip.failed);
	package.bytes = arena_str(arena, strbuf_str(&gzip));
	SHA256Data((const uint8_t *)package.bytes.data, package.bytes.len,
	    digest);
	package.sha256 = arena_cstr(arena, str_from(digest));
	strbuf_release(&tar);
	strbuf_release(&gzip);
	return package;
}
