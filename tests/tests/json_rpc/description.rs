//! Our description of the methods, and what it says of requests and answers.

use jsonschema::Validator;
use serde_json::{Value, json};
use slapos_tests::http;

/// The description as our master serves it.
pub struct Description(Value);

impl Description {
    /// Fetches it.
    pub fn of(address: &str) -> Self {
        let (status, text) = http::get(address, "/openapi.json").expect("our master answers");
        assert_eq!(status, 200, "{text}");
        Self(serde_json::from_str(&text).expect("the description is JSON"))
    }

    /// The paths of all methods.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.0["paths"].as_object().expect("there are paths");
        paths.keys().map(|path| path.trim_start_matches('/'))
    }

    /// What the parameters of a method must be.
    pub fn request(&self, path: &str) -> Validator {
        self.validator(&self.method(path)["requestBody"])
    }

    /// The parameters that a method cannot do without.
    pub fn required(&self, path: &str) -> Vec<String> {
        let schema = &self.method(path)["requestBody"]["content"]["application/json"]["schema"];
        let names = schema["required"].as_array().into_iter().flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    /// Fails the test unless an answer is one that the description allows.
    pub fn check_answer(&self, path: &str, status: u16, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let body: Value = serde_json::from_slice(body).unwrap_or_else(|_| panic!("{path}: {text}"));
        let responses = &self.method(path)["responses"];
        let validator = match status {
            200 => self.validator(&responses["200"]),
            _ => self.validator(&self.0["components"]["responses"]["Problem"]),
        };
        if let Err(error) = validator.validate(&body) {
            panic!("{path}: {error} (at {}): {text}", error.instance_path());
        }
        if status != 200 {
            assert_eq!(body["status"], json!(status), "{path}: {text}");
        }
    }

    fn method(&self, path: &str) -> &Value {
        let method = &self.0["paths"][format!("/{path}")]["post"];
        assert!(method.is_object(), "{path} is not described");
        method
    }

    /// Of a request or response; references lead into the description.
    fn validator(&self, message: &Value) -> Validator {
        let schema = &message["content"]["application/json"]["schema"];
        let schema = json!({"allOf": [schema], "components": self.0["components"]});
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
    }
}
