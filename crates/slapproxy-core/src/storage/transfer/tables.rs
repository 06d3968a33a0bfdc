//! Every table with its columns.

use crate::storage::engine::{Parameter, Result, Row};

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: &'static [Column],
    order: Order,
}

/// What puts the rows of a table in order.
enum Order {
    /// That in which they came.
    Rowid,
    /// Their key, which is made of that many columns, the first.
    Key(usize),
}

enum Column {
    Text(&'static str),
    Real(&'static str),
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
}

/// The values of a row.
pub(super) type Record = Vec<Cell>;

use Column::{Real, Text};

pub(super) const TABLES: [Table; 10] = [
    Table {
        name: "config18",
        columns: &[Text("name"), Text("value")],
        order: Order::Key(1),
    },
    Table {
        name: "software18",
        columns: &[
            Text("url"),
            Text("computer_reference"),
            Text("requested_state"),
        ],
        order: Order::Rowid,
    },
    Table {
        name: "computer18",
        columns: &[Text("reference"), Text("address"), Text("netmask")],
        order: Order::Rowid,
    },
    Table {
        name: "partition18",
        columns: &[
            Text("reference"),
            Text("computer_reference"),
            Text("slap_state"),
            Text("software_release"),
            Text("xml"),
            Text("connection_xml"),
            Text("slave_instance_list"),
            Text("software_type"),
            Text("partition_reference"),
            Text("requested_by"),
            Text("requester_id"),
            Text("requested_state"),
            Real("timestamp"),
        ],
        order: Order::Rowid,
    },
    Table {
        name: "slave18",
        columns: &[
            Text("reference"),
            Text("computer_reference"),
            Text("connection_xml"),
            Text("hosted_by"),
            Text("requester_id"),
        ],
        order: Order::Rowid,
    },
    Table {
        name: "partition_network18",
        columns: &[
            Text("partition_reference"),
            Text("computer_reference"),
            Text("reference"),
            Text("address"),
            Text("netmask"),
        ],
        order: Order::Rowid,
    },
    Table {
        name: "forwarded_partition_request18",
        columns: &[Text("partition_reference"), Text("master_url")],
        order: Order::Rowid,
    },
    Table {
        name: "report18",
        columns: &[
            Text("kind"),
            Text("computer_reference"),
            Text("subject"),
            Text("state"),
            Text("message"),
            Real("time"),
        ],
        order: Order::Key(3),
    },
    Table {
        name: "usage18",
        columns: &[Text("computer_reference"), Real("time"), Text("journal")],
        order: Order::Rowid,
    },
    Table {
        name: "unrequested18",
        columns: &[Text("computer_reference"), Text("reference"), Real("time")],
        order: Order::Key(2),
    },
];

impl Table {
    fn names(&self) -> Vec<&'static str> {
        let names = self.columns.iter().map(|column| match column {
            Text(name) | Real(name) => *name,
        });
        names.collect()
    }

    /// The columns that put the rows in order.
    fn key(&self) -> Vec<&'static str> {
        match self.order {
            Order::Rowid => vec!["rowid"],
            Order::Key(count) => self.names().into_iter().take(count).collect(),
        }
    }

    /// Finds the rows after a place, at most so many. Its parameters are the place, and the number.
    pub(super) fn query(&self) -> String {
        let (key, names) = (self.key(), self.names().join(", "));
        let place: Vec<_> = (1..=key.len()).map(|number| format!("${number}")).collect();
        let (name, limit) = (self.name, key.len() + 1);
        let (key, place) = (key.join(", "), place.join(", "));
        format!(
            "SELECT {names}, {key} FROM {name} WHERE ({key}) > ({place}) \
             ORDER BY {key} LIMIT CAST(${limit} AS BIGINT)"
        )
    }

    /// Adds so many rows.
    pub(super) fn insert(&self, rows: usize) -> String {
        let names = self.names();
        let numbers = (1..=rows * names.len()).map(|number| format!("${number}"));
        let numbers: Vec<_> = numbers.collect();
        let values = numbers
            .chunks(names.len())
            .map(|row| format!("({})", row.join(", ")));
        let values = values.collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO {} ({}) VALUES {values}",
            self.name,
            names.join(", ")
        )
    }

    /// The place before all rows. No key is an empty text, and no row's number that low.
    pub(super) fn beginning(&self) -> Vec<Cell> {
        match self.order {
            Order::Rowid => vec![Cell::Integer(i64::MIN)],
            Order::Key(count) => vec![Cell::Text(String::new()); count],
        }
    }

    /// A row, and its place.
    pub(super) fn read(&self, row: &dyn Row) -> Result<(Record, Vec<Cell>)> {
        let mut record = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            record.push(match column {
                Text(_) => row
                    .get::<Option<String>>(index)?
                    .map_or(Cell::Null, Cell::Text),
                Real(_) => row
                    .get::<Option<f64>>(index)?
                    .map_or(Cell::Null, Cell::Real),
            });
        }
        let place = match self.order {
            Order::Rowid => vec![Cell::Integer(row.get(self.columns.len())?)],
            Order::Key(count) => record[..count].to_vec(),
        };
        Ok((record, place))
    }
}

impl Cell {
    pub(super) fn as_parameter(&self) -> Parameter<'_> {
        match self {
            Self::Null => Parameter::Null,
            Self::Text(text) => Parameter::Text(text),
            Self::Integer(number) => Parameter::Integer(*number),
            Self::Real(number) => Parameter::Real(*number),
        }
    }
}
