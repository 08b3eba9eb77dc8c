/*
 * fields.c - the tables of all fields; see fields.h.
 *
 * Limits that are RunPod's are marked so; the others are ours, and wide.
 */
#include <assert.h>
#include <stddef.h>

#include "base/units.h"
#include "spec/tables.h"

/* The member of a struct, and where the place of its value is kept. */
#define AT(type, member) .offset = offsetof(type, member), \
	.size = sizeof(((type *)0)->member)
#define LIST_AT(type, member) AT(type, member), \
	.count = offsetof(type, n##member)
#define PLACE(type, member) .place = offsetof(type, member)

#define POD(member) AT(struct pod_spec, member)
#define POD_LIST(member) LIST_AT(struct pod_spec, member)
/* A field of a pod itself: its place and its bit. */
#define SELF(field) .place = offsetof(struct pod_spec, at) + \
	POD_FIELD_##field * sizeof(struct span), .bit = POD_FIELD_##field + 1
#define LEAF(leaf) .bit = LEAF_##leaf + 1

#define DAY_MS ((int64_t)24 * HOUR_MS)

/* The order is that of the enums in spec.h and cloud.h. */
static const char *const clouds[] = { "any", "secure", "community", NULL };
static const char *const policy_clouds[] = { "secure", "community", NULL };
static const char *const states[] = { "running", "stopped", NULL };
static const char *const failures[] = { "stop", "terminate", "keep", NULL };
static const char *const orders[] = { "destroy_first", "create_first", NULL };
static const char *const idle_ends[] = { "stop", "terminate", NULL };
static const char *const directions[] = { "local", "remote", "dynamic", NULL };
static const char *const bools[] = { "false", "true", NULL };
/* RunPod's continents; its UNKNOWN is nothing that one can ask for. */
static const char *const regions[] = { "NORTH_AMERICA", "SOUTH_AMERICA",
	"EUROPE", "ASIA", "MIDDLE_EAST", "AFRICA", "OCEANIA", "ANTARCTICA",
	NULL };
static const char *const driftable[] = { "image", "name", "args", "gpu",
	"gpu_count", "cloud", "data_centers", "disk", "network_volume",
	"ports", "env", "state", NULL };

static const struct field mount_fields[] = {
	{ "volume", FIELD_NAME, FIELD_REQUIRED, POD(volume), LEAF(VOLUME),
	  .place = offsetof(struct pod_spec, volume_at), .min = 1, .max = 60,
	  .form = &form_name, .example = "datasets",
	  .help = "Name of a volume under `volumes`." },
	{ "path", FIELD_PATH, FIELD_REQUIRED, POD(volume_path),
	  LEAF(VOLUME_PATH), .min = 1, .max = 4096, .form = &form_absolute,
	  .example = "/workspace",
	  .help = "Where it is mounted on the pod." },
	{ 0 }
};

static const struct field ssh_fields[] = {
	{ "user", FIELD_TEXT, 0, POD(ssh_user), LEAF(SSH_USER), .min = 1,
	  .max = 32, .form = &form_user, .fallback = "root",
	  .example = "root", .help = "User to log in as." },
	{ "key", FIELD_TEXT, 0, POD(ssh_key), LEAF(SSH_KEY),
	  PLACE(struct pod_spec, ssh_key_at), .min = 1, .max = 4096,
	  .example = "~/.ssh/id_ed25519",
	  .help = "Private key file, readable by you alone. Without it "
	  "podform makes one for the project." },
	{ 0 }
};

static const struct field ready_fields[] = {
	{ "timeout", FIELD_DURATION, 0, POD(ready_timeout_ms),
	  LEAF(READY_TIMEOUT), .min = 10 * SECOND_MS, .max = DAY_MS,
	  .fallback = "10m", .example = "10m",
	  .help = "How long a pod may take until it is ready; then its "
	  "creation has failed." },
	{ "checks", FIELD_LIST, FIELD_SECRETS | FIELD_OUTPUTS | FIELD_LINES,
	  POD_LIST(ready_checks), LEAF(READY_CHECKS), .min = 1, .max = 20,
	  .items = FIELD_TEXT, .example = "[\"nvidia-smi\"]",
	  .help = "Commands that must succeed on the pod." },
	{ 0 }
};

#define STEP(member) AT(struct setup_step, member)
static const struct field copy_fields[] = {
	{ "from", FIELD_TEXT, FIELD_REQUIRED, STEP(from), .min = 1,
	  .max = 4096, .form = &form_below, .example = "./train.py",
	  .help = "File or directory below the spec's own directory." },
	{ "to", FIELD_PATH, FIELD_REQUIRED, STEP(to), .min = 1, .max = 4096,
	  .form = &form_absolute, .example = "/workspace/train.py",
	  .help = "Where it goes on the pod." },
	{ 0 }
};

static const struct field setup_fields[] = {
	{ "run", FIELD_TEXT, FIELD_SECRETS | FIELD_OUTPUTS | FIELD_LINES,
	  STEP(run), .min = 1, .max = 65536,
	  .example = "pip install -r requirements.txt",
	  .help = "Command for the shell of the pod." },
	{ "copy", FIELD_STRUCT, 0, .fields = copy_fields,
	  .example = "{ from: ./train.py, to: /workspace/train.py }",
	  .help = "Copy a file or directory to the pod." },
	{ 0 }
};

static const struct field process_fields[] = {
	{ "run", FIELD_TEXT, FIELD_REQUIRED | FIELD_SECRETS | FIELD_OUTPUTS |
	  FIELD_LINES, POD(process_run), LEAF(PROCESS_RUN), .min = 1,
	  .max = 65536, .example = "python /workspace/train.py",
	  .help = "Command that is kept running after setup." },
	{ "log", FIELD_PATH, 0, POD(process_log), LEAF(PROCESS_LOG),
	  .min = 1, .max = 4096, .form = &form_absolute,
	  .example = "/workspace/train.log",
	  .help = "File on the pod that takes its output." },
	{ 0 }
};

static const struct field backup_fields[] = {
	{ "check", FIELD_TEXT, FIELD_REQUIRED | FIELD_SECRETS |
	  FIELD_OUTPUTS | FIELD_LINES, POD(backup_check),
	  LEAF(BACKUP_CHECK), .min = 1, .max = 65536,
	  .example = "\"test -e /workspace/.synced\"",
	  .help = "Succeeds when nothing on the pod would be lost." },
	{ 0 }
};

static const struct field idle_fields[] = {
	{ "after", FIELD_DURATION, FIELD_REQUIRED, POD(idle_after_ms),
	  LEAF(IDLE_AFTER), .min = MINUTE_MS, .max = 30 * DAY_MS,
	  .example = "30m", .help = "How long it must have been idle." },
	{ "gpu_below", FIELD_INT, 0, POD(idle_gpu_below), LEAF(IDLE_GPU),
	  .min = 0, .max = 100, .fallback = "5", .example = "5",
	  .help = "Percent of GPU use under which it counts as idle." },
	{ "then", FIELD_CHOICE, 0, POD(idle_terminate), LEAF(IDLE_THEN),
	  .choices = idle_ends, .fallback = "stop", .example = "stop",
	  .help = "What happens to it." },
	{ 0 }
};

const struct field pod_fields[] = {
	[POD_FIELD_IMAGE] = { "image", FIELD_TEXT, FIELD_REQUIRED,
	  EFFECT_RESTART, POD(image), SELF(IMAGE), .min = 1, .max = 512,
	  .form = &form_image,
	  .example = "runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04",
	  .help = "Container image, with its tag or digest." },
	[POD_FIELD_NAME] = { "name", FIELD_TEXT, 0, EFFECT_IN_PLACE,
	  POD(name_pattern), SELF(NAME), .min = 1, .max = 60,
	  .form = &form_pattern, .example = "comfy-{date}-{n}",
	  .help = "What the pod is called in RunPod; podform's mark follows "
	  "it. `{date}` is the day of creation, `{n}` the number of the "
	  "replica. Without it: its name here." },
	[POD_FIELD_ARGS] = { "args", FIELD_TEXT, 0, EFFECT_RESTART,
	  POD(args), SELF(ARGS), .min = 0, .max = 4096,
	  .example = "\"--listen 0.0.0.0\"",
	  .help = "Arguments for the entry point of the image." },
	[POD_FIELD_GPU] = { "gpu", FIELD_ONE_OR_LIST, FIELD_REQUIRED |
	  FIELD_UNIQUE, EFFECT_REPLACE, POD_LIST(gpu), SELF(GPU),
	  .places = offsetof(struct pod_spec, gpu_at), .min = 1, .max = 32,
	  .items = FIELD_TEXT, .example = "[NVIDIA A40, NVIDIA RTX A6000]",
	  .help = "GPU types in order of preference, by id or display name. "
	  "The next one is tried only when it is certain that nothing was "
	  "created." },
	[POD_FIELD_GPU_COUNT] = { "gpu_count", FIELD_INT, 0, EFFECT_REPLACE,
	  POD(gpu_count), SELF(GPU_COUNT), .min = 1, .max = 10,
	  .fallback = "1", .example = "1",
	  .help = "How many GPUs one pod gets." },
	[POD_FIELD_MIN_CUDA] = { "min_cuda", FIELD_VERSION, 0,
	  EFFECT_REPLACE, POD(min_cuda), SELF(MIN_CUDA), .min = 1, .max = 12,
	  .form = &form_cuda, .example = "\"12.4\"",
	  .help = "Lowest CUDA version of the machine's driver. A pod on an "
	  "older one never starts and is billed all the same." },
	[POD_FIELD_CLOUD] = { "cloud", FIELD_CHOICE, 0, EFFECT_REPLACE,
	  POD(tier), SELF(CLOUD), .choices = clouds, .fallback = "secure",
	  .example = "secure", .help = "Where the pod may be placed." },
	[POD_FIELD_DATA_CENTERS] = { "data_centers", FIELD_ONE_OR_LIST,
	  FIELD_UNIQUE, EFFECT_REPLACE, POD_LIST(data_centers),
	  SELF(DATA_CENTERS), .min = 1, .max = 32, .items = FIELD_TEXT,
	  .form = &form_place, .example = "[EU-RO-1, EU-SE-1]",
	  .help = "Data centers it may be in, in order of preference. The "
	  "place of a network volume wins. Not together with `regions`." },
	[POD_FIELD_REGIONS] = { "regions", FIELD_ONE_OR_LIST, FIELD_UNIQUE,
	  EFFECT_REPLACE, POD_LIST(regions), SELF(REGIONS), .min = 1,
	  .max = 8, .items = FIELD_CHOICE, .choices = regions,
	  .example = "[EUROPE]",
	  .help = "Continents it may be in. Not together with "
	  "`data_centers`." },
	[POD_FIELD_MAX_PRICE] = { "max_price", FIELD_PRICE, 0, EFFECT_NONE,
	  POD(max_price), SELF(MAX_PRICE), .min = 1,
	  .max = (int64_t)1000 * MICROUSD, .example = "0.60",
	  .help = "US dollars per hour for the whole pod that are paid at "
	  "most." },
	[POD_FIELD_DISK] = { "disk", FIELD_SIZE, 0, EFFECT_RESTART,
	  POD(disk_gb), SELF(DISK), .min = 1, .max = 20000,
	  .fallback = "20GB", .example = "50GB",
	  .help = "Container disk. It is wiped when the pod stops or its "
	  "container is made anew." },
	[POD_FIELD_NETWORK_VOLUME] = { "network_volume", FIELD_STRUCT, 0,
	  EFFECT_REPLACE, SELF(NETWORK_VOLUME), .fields = mount_fields,
	  .example = "{ volume: datasets, path: /workspace }",
	  .help = "A volume that outlives the pod." },
	/* At most 10 http ports are RunPod's; see check.c. */
	[POD_FIELD_PORTS] = { "ports", FIELD_LIST, FIELD_UNIQUE,
	  EFFECT_RESTART, POD_LIST(ports), SELF(PORTS), .min = 0, .max = 64,
	  .items = FIELD_PORT, .form = &form_port, .fallback = "[22/tcp]",
	  .example = "[22/tcp, 8188/http]",
	  .help = "Ports that RunPod maps; at most 10 of them http. SSH, "
	  "checks and tunnels need 22/tcp." },
	[POD_FIELD_ENV] = { "env", FIELD_MAP, FIELD_SECRETS | FIELD_OUTPUTS |
	  FIELD_LINES, EFFECT_RESTART, POD_LIST(env), SELF(ENV), .min = 0,
	  .max = 50, .items = FIELD_TEXT, .form = &form_env_name,
	  .example = "{ MODE: train, WANDB_KEY: \"${secret.WANDB_KEY}\" }",
	  .help = "Environment of the container, at most 50 variables." },
	[POD_FIELD_REPLICAS] = { "replicas", FIELD_INT, 0, EFFECT_NONE,
	  POD(replicas), SELF(REPLICAS), .min = 0, .max = 1000,
	  .fallback = "1", .example = "1",
	  .help = "How many of them. Above 1 they are pod.NAME[0], "
	  "pod.NAME[1] and so on; [0] is the one that was there." },
	[POD_FIELD_STATE] = { "state", FIELD_CHOICE, 0, EFFECT_IN_PLACE,
	  POD(state), SELF(STATE), .choices = states, .fallback = "running",
	  .example = "running",
	  .help = "A stopped pod costs only its disks." },
	[POD_FIELD_SSH] = { "ssh", FIELD_STRUCT, 0, EFFECT_NONE, SELF(SSH),
	  .fields = ssh_fields, .example = "{ user: root }",
	  .help = "How podform logs in." },
	[POD_FIELD_READY] = { "ready", FIELD_STRUCT, 0, EFFECT_NONE,
	  SELF(READY), .fields = ready_fields, .example = "{ timeout: 10m }",
	  .help = "When a new pod counts as ready." },
	[POD_FIELD_SETUP] = { "setup", FIELD_STRUCT_LIST, 0, EFFECT_NONE,
	  POD_LIST(setup), SELF(SETUP), .min = 1, .max = 100,
	  .fields = setup_fields,
	  .example = "[{ run: pip install -r requirements.txt }]",
	  .help = "Steps over SSH, once per container, in order." },
	[POD_FIELD_PROCESS] = { "process", FIELD_STRUCT, 0, EFFECT_NONE,
	  SELF(PROCESS), .fields = process_fields,
	  .example = "{ run: python /workspace/train.py }",
	  .help = "What runs on the pod when setup is done." },
	[POD_FIELD_ON_FAILURE] = { "on_failure", FIELD_CHOICE, 0,
	  EFFECT_NONE, POD(on_failure), SELF(ON_FAILURE),
	  .choices = failures, .fallback = "stop", .example = "stop",
	  .help = "What becomes of a pod that was created and then failed." },
	[POD_FIELD_BACKUP] = { "backup", FIELD_STRUCT, 0, EFFECT_NONE,
	  SELF(BACKUP), .fields = backup_fields,
	  .example = "{ check: \"test -e /workspace/.synced\" }",
	  .help = "How podform knows that a pod may be terminated." },
	[POD_FIELD_LEASE] = { "lease", FIELD_DURATION, 0, EFFECT_NONE,
	  POD(lease_ms), SELF(LEASE), .min = MINUTE_MS, .max = 365 * DAY_MS,
	  .example = "4h", .later = "leases are not kept yet",
	  .help = "The pod is stopped after this time unless the lease is "
	  "extended." },
	[POD_FIELD_IDLE] = { "idle", FIELD_STRUCT, 0, EFFECT_NONE,
	  SELF(IDLE), .fields = idle_fields,
	  .example = "{ after: 30m, gpu_below: 5, then: stop }",
	  .later = "idle pods are not noticed yet",
	  .help = "What happens to a pod that does nothing." },
	[POD_FIELD_PROTECT] = { "protect", FIELD_BOOL, 0, EFFECT_NONE,
	  POD(protect), SELF(PROTECT), .choices = bools,
	  .fallback = "false", .example = "true",
	  .help = "A plan that would delete or replace it is refused." },
	[POD_FIELD_REPLACE] = { "replace", FIELD_CHOICE, 0, EFFECT_NONE,
	  POD(replace), SELF(REPLACE), .choices = orders,
	  .fallback = "destroy_first", .example = "destroy_first",
	  .help = "The order of a replacement. With create_first both are "
	  "billed for a while." },
	[POD_FIELD_IGNORE_DRIFT] = { "ignore_drift", FIELD_LIST,
	  FIELD_UNIQUE, EFFECT_NONE, POD_LIST(ignore_drift),
	  SELF(IGNORE_DRIFT), .min = 0, .max = 32, .items = FIELD_CHOICE,
	  .choices = driftable, .example = "[name]",
	  .help = "Fields whose live value may differ from the spec." },
	[POD_FIELD_COUNT] = { 0 }
};

#define VOLUME(member) AT(struct volume_spec, member)
const struct field volume_fields[] = {
	/* 10 to 4096 GB is RunPod's, and that it only grows. */
	{ "size", FIELD_SIZE, FIELD_REQUIRED, EFFECT_IN_PLACE,
	  VOLUME(size_gb), PLACE(struct volume_spec, size_at), .min = 10,
	  .max = 4096, .example = "100GB",
	  .help = "Size in whole GB. A volume grows and never shrinks." },
	{ "data_center", FIELD_TEXT, FIELD_REQUIRED, EFFECT_REPLACE,
	  VOLUME(data_center), PLACE(struct volume_spec, data_center_at),
	  .min = 1, .max = 32, .form = &form_place, .example = "EU-RO-1",
	  .help = "Where it is; pods that use it are placed there." },
	{ "protect", FIELD_BOOL, 0, EFFECT_NONE, VOLUME(protect),
	  .choices = bools, .fallback = "false", .example = "true",
	  .help = "A plan that would delete or replace it is refused." },
	{ 0 }
};

#define RUNNER(member) AT(struct runner_spec, member)
const struct field runner_fields[] = {
	{ "pod", FIELD_TEXT, FIELD_REQUIRED, EFFECT_REPLACE, RUNNER(pod),
	  PLACE(struct runner_spec, pod_at), .min = 1, .max = 66,
	  .form = &form_pod_ref, .example = "trainer",
	  .help = "Pod that it runs on; one runner on each replica." },
	{ "repository", FIELD_TEXT, 0, EFFECT_REPLACE, RUNNER(repository),
	  .min = 1, .max = 140, .form = &form_repository,
	  .example = "acme/model",
	  .help = "GitHub repository that it serves; or `organization`." },
	{ "organization", FIELD_TEXT, 0, EFFECT_REPLACE,
	  RUNNER(organization), .min = 1, .max = 39,
	  .form = &form_organization, .example = "acme",
	  .help = "GitHub organization that it serves; or `repository`." },
	{ "labels", FIELD_LIST, FIELD_UNIQUE, EFFECT_REPLACE,
	  LIST_AT(struct runner_spec, labels), .min = 0, .max = 100,
	  .items = FIELD_TEXT, .form = &form_label, .example = "[gpu, a40]",
	  .help = "Labels that jobs ask for." },
	{ "ephemeral", FIELD_BOOL, 0, EFFECT_REPLACE, RUNNER(ephemeral),
	  .choices = bools, .fallback = "false", .example = "true",
	  .help = "It takes one job; the next apply registers it anew." },
	{ "version", FIELD_VERSION, 0, EFFECT_REPLACE, RUNNER(version),
	  .min = 1, .max = 32, .form = &form_runner_version,
	  .fallback = "latest", .example = "latest",
	  .help = "Version of the runner package." },
	{ "group", FIELD_TEXT, 0, EFFECT_REPLACE, RUNNER(group), .min = 1,
	  .max = 100, .example = "gpu-runners",
	  .help = "Runner group of the organization." },
	{ 0 }
};

#define TUNNEL(member) AT(struct tunnel_form, member)
const struct field tunnel_fields[] = {
	{ "pod", FIELD_TEXT, FIELD_REQUIRED, EFFECT_REPLACE,
	  TUNNEL(spec.pod), PLACE(struct tunnel_form, spec.pod_at),
	  .min = 1, .max = 66, .form = &form_pod_ref, .example = "trainer",
	  .help = "Pod that it leads to; `trainer[2]` for one of several." },
	{ "local", FIELD_TEXT, FIELD_REQUIRED, EFFECT_REPLACE,
	  TUNNEL(local), PLACE(struct tunnel_form, spec.local_at), .min = 1,
	  .max = 107, .form = &form_local, .example = "8188",
	  .help = "Port on this machine, on 127.0.0.1 unless an address is "
	  "given; `auto` for a free one; or the path of a socket." },
	{ "remote", FIELD_TEXT, 0, EFFECT_REPLACE, TUNNEL(remote),
	  PLACE(struct tunnel_form, remote_at), .min = 1, .max = 260,
	  .form = &form_remote, .example = "8188",
	  .help = "Port, or HOST:PORT as seen from the pod." },
	{ "direction", FIELD_CHOICE, 0, EFFECT_REPLACE,
	  TUNNEL(spec.direction), .choices = directions,
	  .fallback = "local", .example = "local",
	  .help = "As ssh has it: -L, -R or -D." },
	{ "check", FIELD_TEXT, 0, EFFECT_NONE, TUNNEL(spec.check),
	  .min = 1, .max = 2048, .form = &form_url,
	  .example = "http://127.0.0.1:8188/",
	  .help = "The tunnel counts as up when this answers." },
	{ 0 }
};

#define SECRET(member) AT(struct secret_form, member)
const struct field secret_fields[] = {
	{ "env", FIELD_TEXT, FIELD_NO_REFS, SECRET(env),
	  PLACE(struct secret_form, env_at), .min = 1, .max = 256,
	  .form = &form_env_name, .example = "WANDB_KEY",
	  .help = "Environment variable that holds it." },
	{ "file", FIELD_TEXT, 0, SECRET(file),
	  PLACE(struct secret_form, file_at), .min = 1, .max = 4096,
	  .example = "wandb.key",
	  .help = "File that holds it: absolute, or below the directory of "
	  "the spec. A line end at its end does not count." },
	{ "command", FIELD_LIST, 0,
	  AT(struct secret_form, decl.command),
	  .count = offsetof(struct secret_form, decl.ncommand),
	  PLACE(struct secret_form, command_at), .min = 1, .max = 64,
	  .items = FIELD_TEXT, .example = "[pass, show, wandb]",
	  .help = "Program and arguments that print it; no shell." },
	{ 0 }
};

#define SETTINGS(member) AT(struct file_form, settings.member)
static const struct field budget_fields[] = {
	{ "per_hour", FIELD_PRICE, FIELD_REQUIRED, SETTINGS(budget_per_hour),
	  PLACE(struct file_form, settings.budget_at), .min = 1,
	  .max = (int64_t)1000000 * MICROUSD, .example = "2.50",
	  .help = "US dollars per hour; a plan above it is refused." },
	{ 0 }
};

/* No references: a variable of who runs podform loosens no rule. */
#define POLICY(member) SETTINGS(policy.member)
#define POLICY_LIST(member) SETTINGS(policy.member), \
	.count = offsetof(struct file_form, settings.policy.n##member)
const struct field policy_fields[] = {
	{ "max_price_per_pod", FIELD_PRICE, FIELD_NO_REFS,
	  POLICY(max_price_per_pod), .min = 1,
	  .max = (int64_t)1000000 * MICROUSD, .example = "1.00",
	  .help = "US dollars per hour that one pod may cost, in the dearest "
	  "place that it could get." },
	{ "max_price_total", FIELD_PRICE, FIELD_NO_REFS,
	  POLICY(max_price_total), .min = 1,
	  .max = (int64_t)1000000 * MICROUSD, .example = "5.00",
	  .help = "US dollars per hour that all may cost together, in the "
	  "dearest places that they could get." },
	{ "clouds", FIELD_ONE_OR_LIST, FIELD_UNIQUE | FIELD_NO_REFS,
	  POLICY_LIST(clouds), .min = 1, .max = 2, .items = FIELD_CHOICE,
	  .choices = policy_clouds, .example = "[secure]",
	  .help = "Clouds that pods may be in." },
	{ "data_centers", FIELD_ONE_OR_LIST, FIELD_UNIQUE | FIELD_NO_REFS,
	  POLICY_LIST(data_centers), .min = 1, .max = 100,
	  .items = FIELD_TEXT, .form = &form_place,
	  .example = "[EU-RO-1, EU-SE-1]",
	  .help = "Data centers that pods and volumes may be in." },
	{ "regions", FIELD_ONE_OR_LIST, FIELD_UNIQUE | FIELD_NO_REFS,
	  POLICY_LIST(regions), .min = 1, .max = 8, .items = FIELD_CHOICE,
	  .choices = regions, .example = "[EUROPE]",
	  .help = "Continents that pods and volumes may be in." },
	{ "images", FIELD_ONE_OR_LIST, FIELD_UNIQUE | FIELD_NO_REFS,
	  POLICY_LIST(images), .min = 1, .max = 100, .items = FIELD_TEXT,
	  .example = "[\"runpod/*\", \"ghcr.io/acme/*\"]",
	  .help = "Patterns, of which the image of a pod must fit one; `*` "
	  "is any text." },
	{ "require_lease", FIELD_BOOL, FIELD_NO_REFS, POLICY(require_lease),
	  .fallback = "false", .example = "true",
	  .help = "Every pod needs a `lease`." },
	{ "require_protect", FIELD_BOOL, FIELD_NO_REFS,
	  POLICY(require_protect), .fallback = "false", .example = "true",
	  .help = "Every pod and volume needs `protect: true`." },
	{ "deny_public_tunnels", FIELD_BOOL, FIELD_NO_REFS,
	  POLICY(deny_public_tunnels), .fallback = "false", .example = "true",
	  .help = "Tunnels may listen on loopback addresses and sockets "
	  "only." },
	{ 0 }
};

const struct field settings_fields[] = {
	{ "budget", FIELD_STRUCT, .fields = budget_fields,
	  .example = "{ per_hour: 2.50 }",
	  .help = "What may be spent." },
	{ "parallelism", FIELD_INT, SETTINGS(parallelism), .min = 1,
	  .max = 1000, .fallback = "10", .example = "10",
	  .help = "Actions that run at once." },
	{ "max_destroy", FIELD_INT, SETTINGS(max_destroy), .min = 0,
	  .max = 10000, .example = "3",
	  .help = "podform watch: more deletions than this wait for a "
	  "person." },
	{ "policy", FIELD_STRUCT, .fields = policy_fields,
	  PLACE(struct file_form, settings.policy.at),
	  .example = "{ clouds: [secure], max_price_per_pod: 1.00 }",
	  .help = "What the spec may ask for; a plan that breaks a rule is "
	  "refused. `--policy FILE` adds rules from elsewhere, and both are "
	  "kept." },
	{ 0 }
};

const struct field defaults_fields[] = {
	{ "pod", FIELD_STRUCT, .fields = pod_fields,
	  .example = "{ cloud: secure }",
	  .help = "Merged under every pod: what a pod does not say for "
	  "itself is taken from here. Mappings are merged, lists are not." },
	{ 0 }
};

const struct field top_fields[] = {
	{ "project", FIELD_NAME, FIELD_REQUIRED | FIELD_NO_REFS,
	  AT(struct file_form, project),
	  PLACE(struct file_form, project_at), .min = 1, .max = 60,
	  .form = &form_name, .example = "quickstart",
	  .help = "Name of the project, once in all files." },
	{ "settings", FIELD_STRUCT, .fields = settings_fields,
	  PLACE(struct file_form, settings_at),
	  .example = "{ budget: { per_hour: 2.50 } }",
	  .help = "How podform works on this project." },
	{ "secrets", FIELD_MAP, .items = FIELD_STRUCT,
	  .fields = secret_fields, .form = &form_env_name, .max = 1000,
	  .example = "{ WANDB_KEY: { env: WANDB_KEY } }",
	  .help = "Where secrets come from. Their values are never written "
	  "anywhere." },
	{ "defaults", FIELD_STRUCT, .fields = defaults_fields,
	  PLACE(struct file_form, defaults_at),
	  .example = "{ pod: { cloud: secure } }",
	  .help = "What all pods share." },
	{ "volumes", FIELD_MAP, .items = FIELD_STRUCT,
	  .fields = volume_fields, .form = &form_name, .max = 100000,
	  .example = "{ datasets: { size: 100GB, data_center: EU-RO-1 } }",
	  .help = "Network volumes, by name." },
	{ "pods", FIELD_MAP, .items = FIELD_STRUCT, .fields = pod_fields,
	  .form = &form_name, .max = 100000,
	  .example = "{ trainer: { image: ubuntu:22.04, gpu: A40 } }",
	  .help = "GPU pods, by name." },
	{ "runners", FIELD_MAP, .items = FIELD_STRUCT,
	  .fields = runner_fields, .form = &form_name, .max = 100000,
	  .example = "{ ci: { pod: trainer, repository: acme/model } }",
	  .help = "GitHub Actions runners on pods, by name." },
	{ "tunnels", FIELD_MAP, .items = FIELD_STRUCT,
	  .fields = tunnel_fields, .form = &form_name, .max = 100000,
	  .example = "{ web: { pod: trainer, local: 8188, remote: 8188 } }",
	  .help = "SSH tunnels to pods, by name." },
	{ 0 }
};

const struct field *
kind_fields(enum kind kind)
{
	switch (kind) {
	case KIND_POD:
		return pod_fields;
	case KIND_RUNNER:
		return runner_fields;
	case KIND_TUNNEL:
		return tunnel_fields;
	case KIND_VOLUME:
		return volume_fields;
	case KIND_COUNT:
		break;
	}
	assert(false && "a kind that has no table");
	return NULL;
}

const char *
kind_later(enum kind kind)
{
	for (const struct field *field = top_fields; field->name; field++)
		if (field->fields == kind_fields(kind))
			return field->later;
	return NULL;
}

const char *
effect_word(enum effect effect)
{
	switch (effect) {
	case EFFECT_NONE:
		return "none";
	case EFFECT_IN_PLACE:
		return "in place";
	case EFFECT_RESTART:
		return "restart";
	case EFFECT_REPLACE:
		return "replace";
	}
	assert(false && "an effect without a word");
	return "";
}

static const struct output pod_outputs[] = {
	{ "id", "RunPod's id of the pod" },
	{ "name", "its full name in RunPod" },
	{ "gpu", "the GPU type it got" },
	{ "data_center", "where it is" },
	{ "cost_per_hour", "its price in US dollars" },
	{ "ssh.host", "address for SSH" },
	{ "ssh.port", "port for SSH" },
	{ "ssh.user", "user for SSH" },
	{ 0 }
};
static const struct output volume_outputs[] = {
	{ "id", "RunPod's id of the volume" },
	{ "name", "its full name in RunPod" },
	{ "data_center", "where it is" },
	{ "size", "its size in GB" },
	{ 0 }
};
static const struct output runner_outputs[] = {
	{ "name", "its name at GitHub" },
	{ 0 }
};
static const struct output tunnel_outputs[] = {
	{ "local.host", "address on this machine" },
	{ "local.port", "port on this machine" },
	{ 0 }
};

const struct output *
kind_outputs(enum kind kind)
{
	static const struct output *const outputs[] = {
		[KIND_POD] = pod_outputs,
		[KIND_RUNNER] = runner_outputs,
		[KIND_TUNNEL] = tunnel_outputs,
		[KIND_VOLUME] = volume_outputs,
	};
	_Static_assert(COUNTOF(outputs) == KIND_COUNT, "a row per kind");
	return outputs[kind];
}
