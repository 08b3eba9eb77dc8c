/* configure.c - `config.sh` and `config.sh remove`. */
#include "standin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything up to the scope: "http://127.0.0.1:8080/github". */
static void
server_of(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "://");
	size_t n;

	host = host == NULL ? url : host + 3;
	n = (size_t)(host - url) + strcspn(host, "/");
	snprintf(out, size, "%.*s/github", (int)n, url);
}

static bool
save(const char *lines, const char *name, const char *server,
    const char *url, const char *work, bool ephemeral)
{
	char id[32] = "", secret[1024] = "", text[4096];
	int n;

	if (!standin_line(lines, "id", id, sizeof id) ||
	    !standin_line(lines, "secret", secret, sizeof secret))
		return false;
	n = snprintf(text, sizeof text, BOM "{\n  \"agentId\": %s,\n"
	    "  \"agentName\": \"%s\",\n  \"poolId\": 1,\n"
	    "  \"poolName\": \"Default\",\n%s  \"serverUrl\": \"%s\",\n"
	    "  \"gitHubUrl\": \"%s\",\n  \"workFolder\": \"%s\",\n"
	    "  \"useV2Flow\": true,\n  \"serverUrlV2\": \"%s\"\n}", id, name,
	    ephemeral ? "  \"ephemeral\": true,\n" : "", server, url, work,
	    server);
	if (!standin_write(".runner", text, (size_t)n, 0644))
		return false;
	n = snprintf(text, sizeof text, BOM "{\n  \"scheme\": \"OAuth\",\n"
	    "  \"data\": {\n    \"clientId\": \"%s\",\n"
	    "    \"authorizationUrl\": \"%s/_sim/token\"\n  }\n}", id,
	    server);
	if (!standin_write(".credentials", text, (size_t)n, 0644))
		return false;
	n = snprintf(text, sizeof text, "{\"d\":\"%s\",\"exponent\":"
	    "\"AQAB\"}", secret);
	return standin_write(".credentials_rsaparams", text, (size_t)n,
	    0600);
}

static int
fail(const char *text)
{
	fflush(stdout);
	fprintf(stderr, "%s\n", text);
	return 1;
}

static int
explain(int status, const char *name, const char *url, const char *reply)
{
	fflush(stdout);
	if (status == 409)
		fprintf(stderr, "A runner exists with the same name %s.\n",
		    name);
	else if (status == 403)
		fprintf(stderr, "Http response code: NotFound from 'POST "
		    "%s/actions/runner-registration' (Request Id: 0)\n"
		    "{\"message\":\"Runner version v%s is out of date and "
		    "can no longer register.\"}\nResponse status code does "
		    "not indicate success: 404 (Not Found).\n", url,
		    standin_version);
	else if (status == -1)
		fprintf(stderr, "An error occurred: %s\n", reply);
	else
		fprintf(stderr, "Http response code: NotFound from 'POST "
		    "%s/actions/runner-registration' (Request Id: 0)\n"
		    "{\"message\":\"Not Found\"}\nResponse status code does "
		    "not indicate success: 404 (Not Found).\n", url);
	return 1;
}

static void
banner(void)
{
	puts("\n------------------------------------------------------------"
	    "\n|        stand-in for the runner of GitHub Actions         |"
	    "\n|            Self-hosted runner registration               |"
	    "\n------------------------------------------------------------"
	    "\n\n# Authentication\n");
	fflush(stdout);
}

int
standin_configure(int argc, char **argv)
{
	const char *url = standin_arg(argc, argv, "url");
	const char *token = standin_arg(argc, argv, "token");
	const char *name = standin_arg(argc, argv, "name");
	const char *labels = standin_arg(argc, argv, "labels");
	const char *group = standin_arg(argc, argv, "runnergroup");
	const char *work = standin_arg(argc, argv, "work");
	bool ephemeral = standin_arg(argc, argv, "ephemeral") != NULL;
	bool bare = standin_arg(argc, argv, "no-default-labels") != NULL;
	bool replace = standin_arg(argc, argv, "replace") != NULL;
	char host[65] = "runner", server[256], body[4096];
	static char reply[REPLY_MAX];
	int status;

	banner();
	if (access(".runner", F_OK) == 0)
		return fail("Cannot configure the runner because it is "
		    "already configured. To reconfigure the runner, run "
		    "'config.cmd remove' or './config.sh remove' first.");
	if (url == NULL || token == NULL || *url == '\0' || *token == '\0')
		return fail("Invalid configuration provided for url or "
		    "token. Terminating unattended configuration.");
	if (bare && (labels == NULL || *labels == '\0'))
		return fail("Cannot use --no-default-labels without "
		    "--labels");
	gethostname(host, sizeof host - 1);
	name = name != NULL && *name != '\0' ? name : host;
	server_of(url, server, sizeof server);
	snprintf(body, sizeof body, "url=%s\ntoken=%s\nname=%s\nlabels=%s\n"
	    "group=%s\nversion=%s\nephemeral=%d\nreplace=%d\n"
	    "no_default_labels=%d\n", url, token, name,
	    labels != NULL ? labels : "", group != NULL ? group : "",
	    standin_version, ephemeral, replace, bare);
	status = standin_post(server, "register", NULL, body, reply,
	    sizeof reply);
	if (status != -1 && status != 401 && status != 404)
		puts("\n" CHECK "Connected to GitHub\n\n# Runner Registration\n");
	if (status != 200)
		return explain(status, name, server, reply);
	puts(replace ? CHECK "Successfully replaced the runner"
	    : CHECK "Runner successfully added");
	puts("\n# Runner settings\n");
	if (!save(reply, name, server, url, work != NULL && *work != '\0'
	    ? work : "_work", ephemeral))
		return fail("An error occurred: cannot save the settings");
	puts("\n" CHECK "Settings Saved.\n");
	return 0;
}

int
standin_remove(int argc, char **argv)
{
	const char *token = standin_arg(argc, argv, "token");
	bool local = standin_arg(argc, argv, "local") != NULL;
	static char settings[FILE_MAX], reply[REPLY_MAX];
	char id[32] = "", server[256] = "", body[256];
	int status;

	puts("\n# Runner removal\n");
	if (access(".service", F_OK) == 0)
		return fail("Uninstall service first");
	if (!standin_read(".runner", settings, sizeof settings)) {
		puts("Cannot connect to server, because config files are "
		    "missing. Skipping removing runner from the server.");
		return 0;
	}
	if (local) {
		standin_forget();
		puts(CHECK "Removed .credentials\n" CHECK "Removed .runner");
		return 0;
	}
	if (token == NULL || *token == '\0')
		return fail("Invalid configuration provided for token. "
		    "Terminating unattended configuration.");
	standin_json(settings, "agentId", id, sizeof id);
	standin_json(settings, "serverUrl", server, sizeof server);
	snprintf(body, sizeof body, "id=%s\ntoken=%s\n", id, token);
	status = standin_post(server, "unregister", NULL, body, reply,
	    sizeof reply);
	if (status == 409)
		return fail("Failed: Removing runner from the server\n"
		    "Bad request - Runner is still running a job\"");
	if (status != 200 && status != 404)
		return fail("Failed: Removing runner from the server\nHttp "
		    "response code: NotFound");
	puts("\n" CHECK "Runner removed successfully");
	standin_forget();
	puts(CHECK "Removed .credentials\n" CHECK "Removed .runner\n");
	return 0;
}
