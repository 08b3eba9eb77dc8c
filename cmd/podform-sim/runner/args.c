/* args.c - options, the environment, `.env`. */
#include "standin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
standin_arg(int argc, char **argv, const char *name)
{
	static char saved[8][FILE_MAX];
	static int used;
	char variable[64];
	const char *value;

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0 ||
		    strcasecmp(argv[i] + 2, name) != 0)
			continue;
		return i + 1 < argc && argv[i + 1][0] != '-' ? argv[i + 1]
		    : "";
	}
	snprintf(variable, sizeof variable, "ACTIONS_RUNNER_INPUT_%s", name);
	for (char *at = variable; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	value = getenv(variable);
	if (value == NULL || used == 8)
		return NULL;
	/* Read and unset, so that jobs do not see it. */
	snprintf(saved[used], FILE_MAX, "%s", value);
	unsetenv(variable);
	return saved[used++];
}

const char *
standin_switch(const char *name)
{
	static char environment[FILE_MAX], value[LINE_MAX_];
	const char *own = getenv(name);

	if (own != NULL)
		return *own != '\0' ? own : NULL;
	if (!standin_read("/proc/1/environ", environment, sizeof environment))
		return NULL;
	return standin_line(environment, name, value, sizeof value) &&
	    value[0] != '\0' ? value : NULL;
}

void
standin_load_env(void)
{
	static char text[FILE_MAX];
	char *at, *rest = text;

	if (!standin_read(".env", text, sizeof text))
		return;
	while ((at = strsep(&rest, "\n")) != NULL) {
		char *equals = strchr(at, '=');
		if (equals == NULL || equals == at)
			continue;
		*equals = '\0';
		setenv(at, equals + 1, 1);
	}
}
