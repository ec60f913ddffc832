"""From settings to hardware: opens the camera, the trigger and the arm that are set, and nothing else."""

from pathlib import Path

from tobo.edge.loop import Line
from tobo.edge.ports import Actuator, Camera, Timer, Trigger
from tobo.edge.settings import ActuatorSettings, CameraSettings, Settings, TriggerSettings
from tobo.edge.timers import SystemTimer


def open_line(settings: Settings) -> Line:
    """Raises CameraFault, ActuatorFault or RuntimeError with a sentence where a library or a pin is missing.

    A camera that is not plugged in is no error here: it may come later.
    """
    timer = SystemTimer()
    arm = open_actuator(settings.actuator)  # at ko before anything can move
    camera = open_camera(settings.camera, timer)
    return Line(timer, open_trigger(settings.trigger, timer, camera), camera, arm)


def open_camera(settings: CameraSettings, timer: Timer) -> Camera:
    """Raises CameraFault where its library is missing."""
    from tobo.edge.cameras.checked import CheckedCamera

    if settings.kind == "folder":
        from tobo.edge.cameras.folder import FolderCamera

        return FolderCamera(Path(str(settings.source)), timer)  # still pictures: equal ones are no fault
    if settings.kind == "picamera2":
        from tobo.edge.cameras.picamera import PiCamera

        exposure = None if settings.exposure_ms is None else settings.exposure_ms / 1000
        camera: Camera = PiCamera(timer, settings.size or (640, 480), exposure, settings.gain)
    else:
        from tobo.edge.cameras.opencv import OpenCvCamera

        camera = OpenCvCamera(settings.source, timer, settings.size, settings.lag_ms / 1000, settings.rate)
    return CheckedCamera(camera, settings.size, settings.black_below)


def open_trigger(settings: TriggerSettings, timer: Timer, camera: Camera) -> Trigger:
    """Raises RuntimeError where its library or its pin is missing."""
    if settings.kind == "light-barrier":
        from tobo.edge.triggers.light_barrier import LightBarrier

        return LightBarrier(
            settings.pin, timer, settings.delay_ms / 1000, settings.bounce_ms / 1000, settings.active_high
        )
    if settings.kind == "motion":
        from tobo.edge.triggers.motion import MotionTrigger

        return MotionTrigger(camera, timer, settings.threshold)
    from tobo.edge.triggers.interval import IntervalTrigger

    return IntervalTrigger(settings.seconds, timer)


def open_actuator(settings: ActuatorSettings) -> Actuator:
    """Raises ActuatorFault where its library or its pin is missing."""
    if settings.kind == "servo":
        from tobo.edge.actuators.gpio import Servo

        return Servo(settings.pin, settings.ok_angle, settings.ko_angle, settings.belt_pin)
    if settings.kind == "relay":
        from tobo.edge.actuators.gpio import Relay

        return Relay(settings.pin, settings.active_high, settings.belt_pin)
    if settings.kind == "http":
        from tobo.edge.actuators.network import HttpArm

        return HttpArm(settings.url, settings.timeout_ms / 1000)
    if settings.kind == "mqtt":
        from tobo.edge.actuators.network import MqttArm

        return MqttArm(settings.host, settings.port, settings.topic, settings.timeout_ms / 1000)
    from tobo.edge.actuators.silent import NoActuator

    return NoActuator()
