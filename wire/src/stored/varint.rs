//! Unsigned integers in as few bytes as they need: seven bits a byte, the lowest first (LEB128).

/// Bits of a byte that count; the highest says that another byte follows.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// Appends an integer.
pub(super) fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= u64::from(MORE) {
        out.push(value.to_le_bytes()[0] | MORE);
        value >>= BITS;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Takes an integer off the front; `None` where there is none, or one beyond 64 bits.
pub(super) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(BITS as usize) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & !MORE);
        if part << shift >> shift != part {
            return None;
        }
        value |= part << shift;
        if byte & MORE == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes an integer off the front that has to be there.
pub(super) fn required(bytes: &mut &[u8]) -> Result<u64, &'static str> {
    read(bytes).ok_or("an integer is cut off or too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_and_others_are_refused() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!((read(&mut rest), rest.len()), (Some(value), 0), "{value}");
            assert_eq!(read(&mut &bytes[..bytes.len() - 1]), None, "cut off");
        }
        let beyond = [[0xff; 9].as_slice(), &[0x02]].concat();
        assert_eq!(read(&mut beyond.as_slice()), None, "65 bits");
        assert_eq!(read(&mut [0x80; 11].as_slice()), None, "no end");
    }
}
