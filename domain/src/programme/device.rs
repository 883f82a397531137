//! Device types and what each must be able to do, as data.
//!
//! Source: the programme's public page "Requirements for Specific Device Types" (required capability
//! interfaces by device category, with endpoint health and state reporting for all). A row that changes
//! there is a row that changes here.

use std::fmt;

/// A capability interface, by its name without the common prefix `Alexa.`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Capability(&'static str);

/// How a product talks to the assistant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Connection {
    /// A smart home skill in the cloud.
    Skill,
    /// The connect kit's module, with a skill.
    ConnectKit,
    /// Matter, without a skill.
    Matter,
    /// Zigbee, without a skill.
    Zigbee,
    /// Bluetooth Low Energy mesh, without a skill.
    Bluetooth,
}

/// What a product is: a row of the table.
#[derive(Clone, Copy)]
pub struct DeviceType(&'static Row);

#[derive(Debug)]
struct Row {
    name: &'static str,
    category: &'static str,
    required: &'static [Capability],
}

/// What every device must report: its health is what availability is measured by.
pub const REQUIRED_OF_ALL: [Capability; 1] = [Capability("EndpointHealth")];

const CAPABILITIES: [Capability; 26] = [
    Capability("BrightnessController"),
    Capability("CameraStreamController"),
    Capability("ChannelController"),
    Capability("ColorController"),
    Capability("ColorTemperatureController"),
    Capability("ContactSensor"),
    Capability("Cooking"),
    Capability("DoorbellEventSource"),
    Capability("EndpointHealth"),
    Capability("EqualizerController"),
    Capability("InputController"),
    Capability("LockController"),
    Capability("ModeController"),
    Capability("MotionSensor"),
    Capability("PercentageController"),
    Capability("PlaybackController"),
    Capability("PowerController"),
    Capability("PowerLevelController"),
    Capability("RangeController"),
    Capability("RTCSessionController"),
    Capability("SceneController"),
    Capability("SecurityPanelController"),
    Capability("Speaker"),
    Capability("TemperatureSensor"),
    Capability("ThermostatController"),
    Capability("ToggleController"),
];

const POWER: &[Capability] = &[Capability("PowerController")];
const NOTHING: &[Capability] = &[];

const TYPES: [Row; 30] = [
    row("air_conditioner", "climate", &[Capability("ThermostatController")]),
    row("air_filter", "climate", POWER),
    row("air_purifier", "climate", POWER),
    row("fan", "climate", POWER),
    row("thermostat", "climate", &[Capability("ThermostatController")]),
    row("water_heater", "climate", &[Capability("ThermostatController")]),
    row("blind", "home", &[Capability("RangeController")]),
    row("curtain", "home", &[Capability("RangeController")]),
    row("garage_door", "home", &[Capability("ModeController")]),
    row("hub", "home", NOTHING),
    row("vacuum_cleaner", "home", POWER),
    row("sprinkler", "home", POWER),
    row("coffee_maker", "kitchen", POWER),
    row("dishwasher", "kitchen", POWER),
    row("microwave", "kitchen", &[Capability("Cooking")]),
    row("oven", "kitchen", POWER),
    row("light_bulb", "lighting", &[Capability("BrightnessController"), Capability("PowerController")]),
    row(
        "color_light_bulb",
        "lighting",
        &[Capability("BrightnessController"), Capability("ColorController"), Capability("PowerController")],
    ),
    row("light_strip", "lighting", &[Capability("BrightnessController"), Capability("PowerController")]),
    row("dimmer_switch", "lighting", &[Capability("BrightnessController"), Capability("PowerController")]),
    row("switch", "lighting", POWER),
    row("smart_plug", "lighting", POWER),
    row("camera", "security", &[Capability("RTCSessionController")]),
    row("contact_sensor", "security", &[Capability("ContactSensor")]),
    row("doorbell", "security", &[Capability("DoorbellEventSource"), Capability("RTCSessionController")]),
    row("lock", "security", &[Capability("LockController")]),
    row("motion_sensor", "security", &[Capability("MotionSensor")]),
    row("security_panel", "security", &[Capability("SecurityPanelController")]),
    row("speaker", "entertainment", &[Capability("Speaker")]),
    row("television", "entertainment", POWER),
];

const fn row(name: &'static str, category: &'static str, required: &'static [Capability]) -> Row {
    Row { name, category, required }
}

impl Capability {
    /// Every capability, by name.
    pub const ALL: [Self; 26] = CAPABILITIES;

    /// The capability of a name, with or without the prefix `Alexa.`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("Alexa.").unwrap_or(name);
        CAPABILITIES.into_iter().find(|capability| capability.0 == name)
    }

    /// The name without the prefix.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Connection {
    /// Every connection.
    pub const ALL: [Self; 5] = [Self::Skill, Self::ConnectKit, Self::Matter, Self::Zigbee, Self::Bluetooth];

    /// The connection's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::ConnectKit => "connect_kit",
            Self::Matter => "matter",
            Self::Zigbee => "zigbee",
            Self::Bluetooth => "bluetooth",
        }
    }

    /// Whether a skill carries it, which then has to be certified with it.
    #[must_use]
    pub const fn needs_skill(self) -> bool {
        matches!(self, Self::Skill | Self::ConnectKit)
    }
}

impl DeviceType {
    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        const { &TYPES }.iter().map(Self)
    }

    /// The type of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|device| device.0.name == name)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.name
    }

    /// The programme's category of it.
    #[must_use]
    pub const fn category(self) -> &'static str {
        self.0.category
    }

    /// What it must be able to do.
    pub fn required(self) -> impl Iterator<Item = Capability> {
        self.0.required.iter().copied().chain(REQUIRED_OF_ALL)
    }
}

impl PartialEq for DeviceType {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for DeviceType {}

impl fmt::Debug for DeviceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for DeviceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        let names: std::collections::BTreeSet<&str> = DeviceType::all().map(DeviceType::as_str).collect();
        assert_eq!(names.len(), TYPES.len(), "a name occurs twice");
        for device in DeviceType::all() {
            assert_eq!(DeviceType::parse(device.as_str()), Some(device));
            for capability in device.required() {
                assert_eq!(Capability::parse(capability.as_str()), Some(capability), "{device}");
            }
        }
        assert!(CAPABILITIES.windows(2).all(|pair| pair[0].0.to_lowercase() < pair[1].0.to_lowercase()), "sorted");
    }

    #[test]
    fn names_are_parsed() {
        assert_eq!(Capability::parse("Alexa.PowerController"), Capability::parse("PowerController"));
        assert_eq!(Capability::parse("Alexa.Fun"), None);
        assert_eq!(DeviceType::parse("toaster_of_the_future"), None);
    }
}
