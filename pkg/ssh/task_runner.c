/*
 * task_runner.c - the scripts of a GitHub runner: install, start, look, stop
 *
 * A runner is a directory of its own, $dir, with the unpacked package; what
 * is ours in it begins with .podform-.  A loop runs the listener itself
 * rather than run.sh, which hides its exit code, and knows what the codes
 * mean (2: again; 3, 4: it updates itself; all else: it is over).
 */
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "ssh/task.h"

/* Where it is: below the home of a user of its own, if there is one. */
static const char where[] =
    "user=podform-runner\n"
    "if [ \"$no_user\" = 1 ] || [ \"$(id -u)\" != 0 ]; then user=; fi\n"
    "root=$base/runners\n"
    "if [ -n \"$user\" ]; then\n"
    "\tif ! id \"$user\" >/dev/null 2>&1 && [ \"$make_user\" = 1 ]; then\n"
    "\t\tuseradd -r -m -d /opt/podform-runner -s /bin/sh \"$user\""
    " 2>/dev/null ||\n"
    "\t\tadduser -D -h /opt/podform-runner -s /bin/sh \"$user\""
    " >/dev/null 2>&1\n"
    "\tfi\n"
    "\tif id \"$user\" >/dev/null 2>&1 && command -v su >/dev/null 2>&1 &&"
    " su -s /bin/sh -c : \"$user\" >/dev/null 2>&1\n"
    "\tthen root=/opt/podform-runner/runners; else user=; fi\n"
    "fi\n"
    /* One that was made another way is found where it is. */
    "if [ -d \"$base/runners/$name\" ] && [ \"$make_user\" != 1 ];"
    " then root=$base/runners; user=; fi\n"
    "mkdir -p \"$root\" && chmod 755 \"${root%/*}\" \"$root\" 2>/dev/null\n"
    "dir=$root/$name\n"
    "as() { if [ -n \"$user\" ]; then su -s /bin/sh -c \"$1\" \"$user\";"
    " else /bin/sh -c \"$1\"; fi; }\n"
    "own() { [ -z \"$user\" ] || chown -R \"$user\" \"$@\"; }\n"
    /* alive Runner.Worker: pids of such processes of this directory. */
    "alive() {\n"
    "\tfor q in /proc/[0-9]*; do\n"
    "\t\tc=$(tr '\\0' ' ' <\"$q/cmdline\" 2>/dev/null) || continue\n"
    "\t\tcase $c in *\"$1\"*) ;; *) continue;; esac\n"
    "\t\tcase $c in *\"$dir/\"*) echo \"${q#/proc/}\"; continue;; esac\n"
    "\t\tcase $(readlink \"$q/cwd\")/ in \"$dir/\"*)"
    " echo \"${q#/proc/}\";; esac\n"
    "\tdone\n"
    "}\n"
    "unit=podform-runner-$name.service\n";

/* Ends loop and listener: never called while a worker is alive. */
static const char stop_it[] =
    "stop_it() {\n"
    "\tif [ -e \"/etc/systemd/system/$unit\" ]; then\n"
    "\t\tsystemctl disable --now \"$unit\" >/dev/null 2>&1\n"
    "\t\trm -f \"/etc/systemd/system/$unit\"; systemctl daemon-reload\n"
    "\tfi\n"
    "\tfor q in $(alive .podform-loop); do kill -TERM \"$q\" 2>/dev/null;"
    " done\n"
    "\tfor q in $(alive Runner.Listener) $(alive run.sh); do"
    " kill -INT \"$q\" 2>/dev/null; done\n"
    "\ti=0; while [ -n \"$(alive Runner.Listener)\" ] && [ $i -lt 100 ]; do"
    " sleep 0.1; i=$((i + 1)); done\n"
    "\tfor q in $(alive Runner.Listener) $(alive run.sh); do"
    " kill -KILL \"$q\" 2>/dev/null; done\n"
    "}\n"
    "if [ -n \"$(alive Runner.Worker)\" ]; then\n"
    "\techo 'podform: the runner has a job'; echo worker=1; exit 75\n"
    "fi\n";

static const char install[] =
    "case $(uname -m) in x86_64|amd64) ;; *) echo \"podform: the pod is"
    " $(uname -m), and runners are had for x64\"; exit 65;; esac\n"
    "if [ \"$(cat \"$dir/.podform-version\" 2>/dev/null)\" = \"$version\" ]"
    " && [ -e \"$dir/run.sh\" ]; then exit 0; fi\n"
    "[ -z \"$(alive Runner.Worker)\" ] || { echo 'podform: the runner has a"
    " job'; exit 75; }\n"
    "sum() { [ -z \"$sha256\" ] ||"
    " echo \"$sha256  $1\" | sha256sum -c - >/dev/null 2>&1; }\n"
    "mkdir -p \"$base/packages\" || exit 73\n"
    "file=$base/packages/$filename\n"
    "if [ -n \"$package\" ]; then\n"
    "\tsum \"$package\" || { rm -f \"$package\"; echo 'podform: the copied"
    " package has not the digest that GitHub gave'; exit 66; }\n"
    "\tmv -f \"$package\" \"$file\" || exit 73\n"
    "elif [ ! -e \"$file\" ] || ! sum \"$file\"; then\n"
    "\trm -f \"$file\"\n"
    "\tif command -v curl >/dev/null 2>&1; then\n"
    "\t\t{ echo 'fail'; echo 'silent'; echo 'show-error'; echo 'location';"
    " echo 'connect-timeout = 20'; echo 'proto = \"=https,http\"'; echo \"url = \\\"$url\\\"\";"
    " [ -z \"$token\" ] || echo \"header = \\\"Authorization: Bearer"
    " $token\\\"\"; } | curl --config - -o \"$file.part\"\n"
    "\telif command -v wget >/dev/null 2>&1 && [ -z \"$token\" ]; then\n"
    "\t\twget -q -O \"$file.part\" \"$url\"\n"
    "\telif command -v python3 >/dev/null 2>&1; then\n"
    "\t\turl=$url token=$token part=$file.part python3 -c '\n"
    "import os, shutil, urllib.request as u\n"
    "r = u.Request(os.environ[\"url\"])\n"
    "t = os.environ[\"token\"]\n"
    "if t: r.add_unredirected_header(\"Authorization\", \"Bearer \" + t)\n"
    "with u.urlopen(r, timeout=60) as i, open(os.environ[\"part\"], \"wb\")"
    " as o: shutil.copyfileobj(i, o)'\n"
    "\telse echo 'podform: the pod has neither curl nor python3'; false\n"
    "\tfi && sum \"$file.part\" && mv -f \"$file.part\" \"$file\" || {\n"
    "\t\trm -f \"$file.part\"\n"
    "\t\techo 'podform: the pod cannot fetch the runner package'; exit 69\n"
    "\t}\n"
    "fi\n"
    "rm -rf \"$dir.new\"; mkdir -p \"$dir.new\" &&"
    " tar -xzf \"$file\" -C \"$dir.new\" || { rm -rf \"$dir.new\";"
    " echo 'podform: the runner package cannot be unpacked'; exit 1; }\n"
    "echo \"$version\" >\"$dir.new/.podform-version\"\n"
    "chmod 755 \"$dir.new\"; own \"$dir.new\"\n"
    "rm -rf \"$dir\"; mv \"$dir.new\" \"$dir\" || exit 1\n"
    "rm -f \"$file\"\n";

/* The environment of jobs: the container's, without what is not theirs. */
static const char loop[] =
    "cd \"${0%/*}\" || exit 1\n"
    "dir=$(pwd -P)\n"
    "trap 'exit 143' TERM\n"
    "[ ! -r /etc/rp_environment ] || . /etc/rp_environment\n"
    "for v in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do"
    " case $v in RUNPOD_*|SSH_*|PODFORM_*|PUBLIC_KEY|GITHUB_TOKEN|GH_TOKEN|"
    "*_API_KEY|*PASSWORD*) unset \"$v\";; esac; done\n"
    "export ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1\n"
    "[ \"$(id -u)\" != 0 ] || export RUNNER_ALLOW_RUNASROOT=1\n"
    "export HOME=${HOME:-$dir}\n"
    "umask 022\n"
    "while [ -e .runner ]; do\n"
    "\tif [ -x bin/Runner.Listener ]; then \"$dir/bin/Runner.Listener\" run;"
    " else /bin/bash \"$dir/run.sh\"; fi </dev/null >>.podform-log 2>&1 &\n"
    "\tc=$!; wait $c; s=$?\n"
    "\tcase $s in\n"
    "\t2) sleep 5;;\n"
    "\t3|4) i=0; while [ ! -e update.finished ] && [ $i -lt 30 ]; do"
    " sleep 1; i=$((i + 1)); done; rm -f update.finished;;\n"
    "\t*) break;;\n"
    "\tesac\n"
    "done\n"
    "echo \"ended with code ${s:-1}: $(tail -n 1 .podform-log | cut -c1-300)\""
    " >.podform-ended\n";

static const char start_before[] =
    "[ -e \"$dir/run.sh\" ] || { echo 'podform: the runner is not"
    " installed'; exit 67; }\n"
    "stop_it\n"
    "cd \"$dir\" || exit 1\n"
    "dir=$(pwd -P)\n"
    "rm -f .runner .credentials .credentials_rsaparams .podform-ended\n"
    ": >.podform-log\n";

static const char configure[] =
    "own .podform-config\n"
    "as \". $dir/.podform-config; rm -f $dir/.podform-config; cd $dir &&"
    " RUNNER_ALLOW_RUNASROOT=1 ./config.sh --unattended </dev/null\""
    " || { rm -f .podform-config; echo 'podform: the runner could not be"
    " configured'; exit 1; }\n";

static const char start_after[] =
    "chmod 600 .runner .credentials .credentials_rsaparams 2>/dev/null\n"
    "own \"$dir\"\n"
    "if [ -d /run/systemd/system ] && [ \"$(id -u)\" = 0 ]; then\n"
    "\t{ echo \"[Unit]\"; echo \"Description=GitHub runner $name\";"
    " echo \"After=network-online.target\"; echo \"[Service]\";"
    " [ -z \"$user\" ] || echo \"User=$user\";"
    " echo \"WorkingDirectory=$dir\";"
    " echo \"ExecStart=/bin/sh $dir/.podform-loop\";"
    " echo \"KillMode=mixed\"; echo \"TimeoutStopSec=5min\";"
    " echo \"[Install]\"; echo \"WantedBy=multi-user.target\"; }"
    " >\"/etc/systemd/system/$unit\"\n"
    "\tsystemctl daemon-reload && systemctl enable --now \"$unit\""
    " || exit 1\n"
    "elif command -v setsid >/dev/null 2>&1; then\n"
    "\tif [ -n \"$user\" ]; then setsid su -s /bin/sh -c"
    " \"exec /bin/sh $dir/.podform-loop\" \"$user\"; else"
    " setsid /bin/sh \"$dir/.podform-loop\"; fi </dev/null >/dev/null"
    " 2>&1 &\n"
    "else\n"
    "\tset -m; as \"exec nohup /bin/sh $dir/.podform-loop\" </dev/null"
    " >/dev/null 2>&1 &\n"
    "fi\n"
    "i=0\n"
    "while [ $i -lt 600 ]; do\n"
    "\tgrep -q 'Listening for Jobs' .podform-log 2>/dev/null && exit 0\n"
    "\t[ ! -e .podform-ended ] || break\n"
    "\tsleep 0.2; i=$((i + 1))\n"
    "done\n"
    "why='the runner does not listen for jobs'\n"
    "for w in 'registration has been deleted' 'is deprecated and cannot"
    " receive messages' 'A session for this runner already exists'"
    " 'Runner is not configured' 'Runner connect error' 'Must not run'"
    " 'Libicu'; do\n"
    "\tif l=$(grep -F \"$w\" .podform-log | tail -n 1) && [ -n \"$l\" ];"
    " then why=$l; fi\n"
    "done\n"
    "tail -n 20 .podform-log\n"
    "echo \"podform: $why\" | cut -c1-400\n"
    "cat .podform-ended 2>/dev/null\n"
    "exit 68\n";

static const char look[] =
    "[ -z \"$(alive Runner.Listener)\" ] || echo listener=1\n"
    "[ -z \"$(alive Runner.Worker)\" ] || echo worker=1\n"
    "l=$(cat \"$dir/.podform-ended\" 2>/dev/null)\n"
    "[ -n \"$l\" ] || l=$(grep -E 'Listening for Jobs|Running job: |completed"
    " with result: |connect error|is deprecated|session for this runner|"
    "registration has been|no longer exists|update in progress|Exiting'"
    " \"$dir/.podform-log\" 2>/dev/null | tail -n 1)\n"
    "echo \"line=$l\" | head -n 1 | cut -c1-400\n";

static const char stop[] =
    "stop_it\n"
    /* It may have taken a job in that moment; then its files are its own. */
    "[ -z \"$(alive Runner.Worker)\" ] || { echo worker=1; exit 75; }\n"
    "cd / && rm -rf \"$dir\"\n";

/* ------------------------------------------------------------ making them -- */

static void
put_file(struct strbuf *out, struct str name, const char *token,
    struct str text)
{
	strbuf_addf(out, "cat >\"$dir/" STR_FMT "\" <<'PODFORM-%s'\n",
	    STR_ARG(name), token);
	strbuf_add(out, text);
	if (!str_ends(text, STR("\n")))
		strbuf_addc(out, '\n');
	strbuf_addf(out, "PODFORM-%s\n", token);
}

/* The files that a JIT configuration stands for: base64 of a JSON object of
 * names to base64.  Names that GitHub uses, and no others. */
static bool
put_jit(struct strbuf *out, struct str jit, const char *token)
{
	static const char *const names[] = {
		".runner", ".credentials", ".credentials_rsaparams",
	};
	struct arena arena = {0};
	struct json_reader reader = { .arena = &arena, .where = "jit" };
	struct json doc;
	struct json_error error;
	struct str text, value, bytes;
	bool ok = false;

	if (!base64_decode(&arena, str_trim(jit), &text) ||
	    !json_parse(&arena, text, (struct json_limits){0}, &doc, &error))
		goto out;
	struct json_value root = json_root(&doc);
	ok = json_is(root, JSON_OBJECT) && json_count(root) <=
	    COUNTOF(names);
	for (struct json_iter it = json_iter(root); ok && json_next(&it);) {
		struct str key = json_iter_key(&arena, &it);
		bool known = false;
		for (size_t i = 0; i < COUNTOF(names); i++)
			known |= str_is(key, names[i]);
		ok = known && json_value_str(&reader, it.value, &value) &&
		    base64_decode(&arena, value, &bytes) &&
		    str_find(bytes, '\0') < 0;
		if (ok)
			put_file(out, key, token, bytes);
	}
	ok = ok && json_exists(json_get(root, ".runner"));
out:
	arena_release(&arena);
	return ok;
}

/* What config.sh reads from the environment, in a file that is read once. */
static void
put_config(struct strbuf *out, const struct ssh_runner *runner,
    const char *token)
{
	struct strbuf text = {0};
	const char *prefix = "export ACTIONS_RUNNER_INPUT_";

	task_set(&text, prefix, "URL", runner->url);
	task_set(&text, prefix, "TOKEN", runner->registration_token);
	task_set(&text, prefix, "NAME", runner->name);
	if (runner->labels.len > 0)
		task_set(&text, prefix, "LABELS", runner->labels);
	if (runner->group.len > 0)
		task_set(&text, prefix, "RUNNERGROUP", runner->group);
	if (runner->ephemeral)
		task_set(&text, prefix, "EPHEMERAL", STR("true"));
	put_file(out, STR(".podform-config"), token, strbuf_str(&text));
	strbuf_adds(out, configure);
	explicit_bzero(text.data, text.len);
	strbuf_release(&text);
}

static bool
start_script(struct strbuf *out, const struct ssh_runner *runner,
    const char *token, const char **why)
{
	strbuf_adds(out, stop_it);
	strbuf_adds(out, start_before);
	if (runner->jit.len > 0) {
		*why = "GitHub's configuration of the runner is none";
		if (!put_jit(out, runner->jit, token))
			return false;
	} else if (runner->registration_token.len > 0) {
		put_config(out, runner, token);
	} else {
		*why = "there is neither a configuration nor a token";
		return false;
	}
	put_file(out, STR(".podform-loop"), token, str_from(loop));
	strbuf_adds(out, start_after);
	return true;
}

/* It goes between quotes in a configuration of curl. */
static bool
is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == '"' ||
		    text.data[i] == '\\' || text.data[i] == 0x7f)
			return false;
	return true;
}

bool
task_runner_script(struct strbuf *out, const struct ssh_request *request,
    const char *token, struct str package, const char **why)
{
	const struct ssh_runner *runner = &request->runner;
	const struct runner_package *p = &runner->package;
	bool installs = request->task == SSH_RUNNER_INSTALL;

	*why = "a runner cannot be called so";
	if (!task_is_name(runner->name) ||
	    (p->filename.len > 0 && !task_is_name(p->filename)) ||
	    !is_plain(p->url) || !is_plain(p->token))
		return false;
	task_set(out, "", "name", runner->name);
	task_set(out, "", "no_user", runner->no_user ? STR("1") : STR(""));
	task_set(out, "", "make_user", installs && !runner->no_user ?
	    STR("1") : STR(""));
	strbuf_adds(out, where);
	switch (request->task) {
	case SSH_RUNNER_INSTALL:
		task_set(out, "", "version", p->version);
		task_set(out, "", "url", p->url);
		task_set(out, "", "sha256", p->sha256);
		task_set(out, "", "token", p->token);
		task_set(out, "", "filename", p->filename.len > 0 ?
		    p->filename : STR("runner.tar.gz"));
		task_set(out, "", "package", package);
		strbuf_adds(out, install);
		return true;
	case SSH_RUNNER_START:
		return start_script(out, runner, token, why);
	case SSH_RUNNER_LOOK:
		strbuf_adds(out, look);
		return true;
	default:
		strbuf_adds(out, stop_it);
		strbuf_adds(out, stop);
		return true;
	}
}
