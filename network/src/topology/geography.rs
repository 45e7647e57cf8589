//! Delays by geography: how far two places on Earth are apart, and how long light in glass takes for that.
//!
//! ```text
//! one way = great-circle distance / (c / 1.468) · inflation
//! ```
//!
//! The factor `inflation` stands for everything that makes real paths longer than the great circle: `docs/network.md` has its sources and
//! how far the model is off. The functions of angles come from `libm`, so that a delay is the same on every machine.

use crate::time::Span;
use std::sync::LazyLock;

/// The mean radius of the Earth in kilometres: R₁ of the GRS 80 ellipsoid (Moritz, Geodetic Reference System 1980).
const EARTH_RADIUS_KM: f64 = 6371.0088;
/// Kilometres that light goes in a nanosecond, in a vacuum.
const VACUUM_KM_PER_NS: f64 = 299_792.458e-9;
/// The group index of standard single-mode fibre at 1550 nm (Corning SMF-28 data sheet).
const FIBRE_INDEX: f64 = 1.468;

/// How much longer a message takes than light in a fibre along the great circle: the median over 420 ordered pairs of cloud regions, to
/// two decimals; see `docs/network.md`.
pub const INFLATION: f64 = 1.75;

/// How long a message takes between two nodes of one site, and the least between two sites: 0.25 ms, half of the round trip
/// within a data centre that Dean gives (Designs, Lessons and Advice from Building Large Distributed Systems, LADIS 2009).
pub const WITHIN_SITE: Span = Span::from_nanos(250_000);

/// A place on Earth, in degrees: north and east are positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

/// Why there is no such place.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CoordinatesError {
    /// A latitude lies between the poles.
    #[error("a latitude is a number of degrees from -90 (the south pole) to 90")]
    Latitude,
    /// A longitude goes once around.
    #[error("a longitude is a number of degrees from -180 (west) to 180 (east)")]
    Longitude,
}

impl Coordinates {
    /// The place at a latitude and a longitude, in degrees.
    pub fn new(latitude: f64, longitude: f64) -> Result<Coordinates, CoordinatesError> {
        match (latitude, longitude) {
            (-90.0..=90.0, -180.0..=180.0) => Ok(Coordinates { latitude, longitude }),
            (-90.0..=90.0, _) => Err(CoordinatesError::Longitude),
            _ => Err(CoordinatesError::Latitude),
        }
    }

    /// Degrees north of the equator.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east of Greenwich.
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// The great-circle distance in kilometres, on a sphere with the Earth's mean radius: off by at most about half a percent from
    /// that on the ellipsoid. By the haversine formula (Sinnott, Sky & Telescope 68, 1984), which is exact for near places.
    pub fn distance_km(self, other: Coordinates) -> f64 {
        let radians = |degrees: f64| degrees * (std::f64::consts::PI / 180.0);
        let half_sine_squared = |angle: f64| {
            let sine = libm::sin(radians(angle) / 2.0);
            sine * sine
        };
        let cosines = libm::cos(radians(self.latitude)) * libm::cos(radians(other.latitude));
        let haversine = half_sine_squared(other.latitude - self.latitude)
            + cosines * half_sine_squared(other.longitude - self.longitude);
        // Rounding can bring opposite places above 1.
        2.0 * EARTH_RADIUS_KM * libm::asin(libm::sqrt(haversine).min(1.0))
    }
}

/// How long a message takes for a distance: light in glass, on a way that is longer by `inflation`. To whole nanoseconds.
pub fn fibre_delay(distance_km: f64, inflation: f64) -> Span {
    let nanoseconds = distance_km * inflation * FIBRE_INDEX / VACUUM_KM_PER_NS;
    Span::from_nanos((nanoseconds + 0.5) as u64)
}

/// A site that is known by where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub at: Coordinates,
}

/// A region of a public cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its name, as its provider writes it.
    pub name: &'static str,
    /// `aws`, `google` or `azure`.
    pub provider: &'static str,
    /// The city or area that the provider names.
    pub place: &'static str,
    /// The middle of that.
    pub at: Coordinates,
}

/// The known regions of public clouds.
pub fn regions() -> &'static [Region] {
    static REGIONS: LazyLock<Vec<Region>> =
        LazyLock::new(|| include_str!("regions.csv").lines().skip(1).map(read_region).collect());
    &REGIONS
}

/// The region with this name.
pub fn region(name: &str) -> Option<&'static Region> {
    regions().iter().find(|region| region.name == name)
}

fn read_region(line: &'static str) -> Region {
    let cells: Vec<&str> = line.split(',').collect();
    let degrees = |cell: &str| cell.parse().unwrap_or(f64::NAN);
    match cells[..] {
        [name, provider, place, latitude, longitude] => {
            let at = Coordinates::new(degrees(latitude), degrees(longitude));
            Region { name, provider, place, at: at.unwrap_or_else(|error| panic!("regions.csv: {line}: {error}")) }
        }
        _ => panic!("regions.csv: {line}: five cells"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates::new(latitude, longitude).unwrap()
    }

    fn apart(one: &str, other: &str) -> f64 {
        region(one).unwrap().at.distance_km(region(other).unwrap().at)
    }

    #[test]
    fn distances_are_those_of_the_atlas() {
        for (from, to, km) in [
            (at(51.51, -0.13), at(40.71, -74.01), 5570.0),      // London, New York
            (at(-33.87, 151.21), at(34.05, -118.24), 12_060.0), // Sydney, Los Angeles
            (at(35.68, 139.69), at(1.35, 103.82), 5320.0),      // Tokyo, Singapore
            (at(0.0, 179.5), at(0.0, -179.5), 111.2),           // a degree across the date line
        ] {
            let distance = from.distance_km(to);
            assert!((distance / km - 1.0).abs() < 0.005, "{distance} km instead of {km}");
            assert!((distance - to.distance_km(from)).abs() < 1e-9);
        }
        // A quarter and a half of a great circle.
        let quarter = EARTH_RADIUS_KM * std::f64::consts::FRAC_PI_2;
        assert!((at(0.0, 0.0).distance_km(at(90.0, 0.0)) - quarter).abs() < 1e-6);
        assert!((at(12.0, 34.0).distance_km(at(-12.0, -146.0)) - 2.0 * quarter).abs() < 1e-3);
        assert!(at(12.0, 34.0).distance_km(at(12.0, 34.0)).abs() < 1e-9);
    }

    #[test]
    fn light_takes_5_microseconds_a_kilometre_of_glass() {
        assert_eq!(fibre_delay(1000.0, 1.0), Span::from_nanos(4_896_721));
        assert_eq!(fibre_delay(1000.0, 2.0), Span::from_nanos(9_793_442));
        assert_eq!(fibre_delay(0.0, 2.0), Span::ZERO);
    }

    #[test]
    fn places_are_on_earth() {
        for (latitude, longitude, error) in [
            (90.1, 0.0, CoordinatesError::Latitude),
            (f64::NAN, 0.0, CoordinatesError::Latitude),
            (0.0, -180.1, CoordinatesError::Longitude),
            (0.0, f64::INFINITY, CoordinatesError::Longitude),
        ] {
            assert_eq!(Coordinates::new(latitude, longitude), Err(error));
        }
    }

    #[test]
    fn regions_have_names_of_their_own_and_are_where_they_should_be() {
        let names: BTreeSet<&str> = regions().iter().map(|region| region.name).collect();
        assert_eq!(names.len(), regions().len());
        for provider in ["aws", "google", "azure"] {
            assert!(regions().iter().filter(|region| region.provider == provider).count() > 35);
        }
        assert!(regions().iter().all(|region| ["aws", "google", "azure"].contains(&region.provider)));
        for (one, other, km) in [
            ("us-east-1", "us-west-2", 3_530.0),
            ("eu-west-1", "eu-central-1", 1_090.0),
            ("sa-east-1", "af-south-1", 6_340.0),
            ("ap-southeast-2", "us-west-2", 12_560.0),
            ("europe-west1", "westeurope", 228.0),
        ] {
            assert!((apart(one, other) / km - 1.0).abs() < 0.01, "{one} {other}: {}", apart(one, other));
        }
        // Two providers in one city are neighbours.
        for (one, other) in
            [("ap-northeast-1", "asia-northeast1"), ("sa-east-1", "brazilsouth"), ("eu-west-1", "northeurope")]
        {
            assert!(apart(one, other) < 10.0, "{one} {other}");
        }
    }
}
