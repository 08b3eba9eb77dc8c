"""scenes.py - the commands that are killed, each from a known beginning.

A scene brings a project to where its command starts, names the command, and
knows how the next run settles what a kill left and what must be there then.
"""

from record import Wrong
from world import SETTLE, Project

YES = ("-y", "--settle", SETTLE)
HEAD = "project: kill\n"
VOLUME = "volumes:\n  data: { size: %s, data_center: EU-RO-1 }\n"
POD = '  %s: { image: "runpod/base:1.0", gpu: %s%s }\n'
A40, A5000 = "NVIDIA A40", "NVIDIA RTX A5000"

BEFORE = HEAD + VOLUME % "10GB" + "pods:\n" + \
    POD % ("one", A40, ", ports: [22/tcp], "
           "network_volume: { volume: data, path: /w }") + \
    POD % ("two", A40, ", ports: [80/http]")
# Both ways of replacing, one change in place, one new, one gone.
OLD = BEFORE + POD % ("three", A40, ", ports: [80/http]")
NEW = HEAD + VOLUME % "20GB" + "pods:\n" + \
    POD % ("one", A5000, ", ports: [22/tcp]") + \
    POD % ("two", A5000, ", replace: create_first, ports: [80/http]") + \
    POD % ("four", A40, ", ports: [80/http], env: { MODE: b }")
MANY = HEAD + "pods:\n" + POD % ("one", A40, ", replicas: %d")


class Scene:
    name = "create"
    status = 0                  # of a run that nothing disturbs
    command = ("apply", *YES)
    alive, volumes = ("pod.one", "pod.two"), 1
    before = ()                 # addresses that were there already

    def prepare(self, sim):
        return Project(sim, BEFORE)

    def settle(self, project):
        """The next run, by somebody who only knows that it was killed."""
        project.run("apply", *YES)
        project.check_settled(self.alive, self.volumes)
        project.run("plan", "--detailed-exitcode")

    def finished(self, project):
        """What exit 0 promises."""
        project.check_settled(self.alive, self.volumes)

    def made_and_left(self, project):
        """Pods that bill although this run failed. What was there before a
        change, and still is, is as it was; what a destroy has left that had
        begun is not."""
        begun = any(one["op"] == "terminate" and one["by"] == "api" for one in
                    project.sim.account()["operations"][project.sim.ops_seen:])
        if self.before and not (self.name == "destroy" and begun):
            return []
        return [pod["id"] for pod in project.pods()
                if pod["ended_ms"] is None and pod["mark"]]

    def honest(self, project, status, text):
        """I18: what the exit code says of what may bill."""
        if status == 0:
            self.finished(project)
            return
        if status < 0:
            return      # by a signal itself, which says nothing
        left = self.made_and_left(project)
        if status != 10 and left:
            raise Wrong("exit %d, and left: %s\n%s" % (status, left, text))
        for one in left:
            if one not in text:
                raise Wrong("%s is left and not listed\n%s" % (one, text))


class Replace(Scene):
    name = "replace"
    alive = ("pod.one", "pod.two", "pod.four")
    before = ("pod.one", "pod.two", "pod.three")

    def prepare(self, sim):
        project = Project(sim, OLD)
        project.surge = ("pod.two",)
        project.apply()
        project.check_lock()
        project.spec(NEW)
        return project


class ScaleDown(Scene):
    name = "scale-down"
    alive, volumes = ("pod.one[0]",), 0   # its mark keeps that
    before = ("pod.one[0]", "pod.one[1]", "pod.one[2]")

    def prepare(self, sim):
        project = Project(sim, MANY % 3)
        project.apply()
        project.check_lock()
        project.spec(MANY % 1)
        return project


class Rollback(Scene):
    """The second create is refused, so the first and the volume go again."""
    name = "rollback"
    status = 9
    command = ("apply", "--atomic", *YES)

    def prepare(self, sim):
        project = Project(sim, BEFORE)
        sim.ask("POST", "script", {"call": "create", "nth": 2,
                                   "fault": "error_before", "status": 400})
        return project

    def settle(self, project):
        project.sim.ask("DELETE", "script")
        super().settle(project)


class Destroy(Scene):
    name = "destroy"
    command = ("destroy", *YES)
    alive, volumes = (), 0
    before = ("pod.one", "pod.two")

    def prepare(self, sim):
        project = Project(sim, BEFORE)
        project.apply()
        project.check_lock()
        return project

    def settle(self, project):
        project.run(*self.command)
        project.check_settled((), 0)


class Import(Scene):
    """A pod that somebody made becomes ours; nothing is sent but reads."""
    name = "import"
    command = ("import", "pod.one", "ID")

    def prepare(self, sim):
        project = Project(sim, MANY % 1)
        sim.ask("POST", "preload", {"pods": [{
            "name": "stray", "gpu": A40, "data_center": "EU-RO-1"}]})
        project.stray = project.pods()[0]["id"]
        project.run("init", status=None)
        project.check_lock()
        return project

    def finished(self, project):
        project.check_now()
        lock = project.check_lock() or {}
        found = [(entry["address"], entry["id"])
                 for entry in lock.get("resources", [])]
        if found != [("pod.one", project.stray)]:
            raise Wrong("in the lock file: %s" % found)
        if project.alive() != ["stray"]:
            raise Wrong("alive: %s" % project.alive())

    def settle(self, project):
        if project.alive() != ["stray"]:
            raise Wrong("alive: %s" % project.alive())
        status, text = project.run(*command(self, project), status=None)
        if status != 0 and "is recorded already" not in text:
            raise Wrong("import again: exit %d\n%s" % (status, text))
        self.finished(project)
        for operation in project.sim.account()["operations"][
                project.sim.ops_seen:]:
            if operation["by"] == "api":
                raise Wrong("import sent: %s" % operation)


def command(scene, project):
    return [project.stray if word == "ID" else word
            for word in scene.command]


SCENES = {scene.name: scene for scene in (
    Scene(), Replace(), ScaleDown(), Rollback(), Destroy(), Import())}
