//! How values travel into columns and back, on each engine. A newtype for each, because the
//! domain's types and diesel's traits both come from elsewhere.

use std::{fmt::Debug, io::Write as _};

use apikey::{clock::Timestamp, id::KeyId};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Array, BigInt, Binary, Text},
    sqlite::{Sqlite, SqliteValue},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::schema::sql_types::{Json, Moment, TextList, Uid};

/// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The version byte before the text of a `jsonb`.
const JSONB_VERSION: u8 = 1;

#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Uid)]
pub(crate) struct UidColumn(pub(crate) KeyId);

#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Moment)]
pub(crate) struct TimeColumn(pub(crate) Timestamp);

#[derive(Clone, Debug, AsExpression, FromSqlRow, Serialize, Deserialize)]
#[serde(transparent)]
#[diesel(sql_type = TextList)]
pub(crate) struct TextListColumn(pub(crate) Vec<String>);

/// Anything that goes into JSON and comes back.
#[derive(Clone, Debug, AsExpression, FromSqlRow, Serialize, Deserialize)]
#[serde(transparent)]
#[diesel(sql_type = Json)]
pub(crate) struct JsonColumn<T: Debug>(pub(crate) T);

// === UidColumn ===

impl UidColumn {
    fn from_slice(bytes: &[u8]) -> deserialize::Result<Self> {
        Ok(Self(KeyId::from_bytes(bytes.try_into()?)))
    }
}

impl ToSql<Uid, Pg> for UidColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Uid, Sqlite> for UidColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl FromSql<Uid, Pg> for UidColumn {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::from_slice(value.as_bytes())
    }
}

impl FromSql<Uid, Sqlite> for UidColumn {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Self::from_slice(&<Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?)
    }
}

/// In JSON, the id as people know it.
impl Serialize for UidColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UidColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        KeyId::parse(&text).map(Self).map_err(de::Error::custom)
    }
}

// === TimeColumn ===

/// In JSON, microseconds since the Unix epoch.
impl Serialize for TimeColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.as_micros())
    }
}

impl<'de> Deserialize<'de> for TimeColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_micros).map(Self)
    }
}

impl ToSql<Moment, Pg> for TimeColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.as_micros().checked_sub(POSTGRES_EPOCH_MICROS);
        let micros = micros.ok_or("a time before PostgreSQL's range")?;
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}

impl ToSql<Moment, Sqlite> for TimeColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Moment, Pg> for TimeColumn {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        let micros = micros.checked_add(POSTGRES_EPOCH_MICROS);
        Ok(Self(Timestamp::from_micros(micros.ok_or("an infinite time")?)))
    }
}

impl FromSql<Moment, Sqlite> for TimeColumn {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}

// === TextListColumn ===

impl ToSql<TextList, Pg> for TextListColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Array<Text>, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl ToSql<TextList, Sqlite> for TextListColumn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<TextList, Pg> for TextListColumn {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Vec<String> as FromSql<Array<Text>, Pg>>::from_sql(value).map(Self)
    }
}

impl FromSql<TextList, Sqlite> for TextListColumn {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let json = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&json)?))
    }
}

// === JsonColumn ===

impl<T: Debug + Serialize> ToSql<Json, Pg> for JsonColumn<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Debug + Serialize> ToSql<Json, Sqlite> for JsonColumn<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: Debug + de::DeserializeOwned> FromSql<Json, Pg> for JsonColumn<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, json)) => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("an unknown version of jsonb".into()),
        }
    }
}

impl<T: Debug + de::DeserializeOwned> FromSql<Json, Sqlite> for JsonColumn<T> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let json = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&json)?))
    }
}
