//! Calls as XML.

use quick_xml::escape::escape;

use super::Value;

/// The body of a call. Characters that XML cannot hold are left to supervisord to refuse.
pub(crate) fn call(method: &str, arguments: &[Value]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<methodCall><methodName>");
    xml.push_str(&escape(method));
    xml.push_str("</methodName><params>");
    for argument in arguments {
        xml.push_str("<param>");
        write_value(&mut xml, argument);
        xml.push_str("</param>");
    }
    xml.push_str("</params></methodCall>\n");
    xml
}

fn write_value(xml: &mut String, value: &Value) {
    xml.push_str("<value>");
    match value {
        Value::Int(number) => xml.push_str(&format!("<int>{number}</int>")),
        Value::Boolean(truth) => {
            xml.push_str(&format!("<boolean>{}</boolean>", i32::from(*truth)));
        }
        Value::String(text) => xml.push_str(&format!("<string>{}</string>", escape(text))),
        Value::Array(values) => {
            xml.push_str("<array><data>");
            values.iter().for_each(|value| write_value(xml, value));
            xml.push_str("</data></array>");
        }
        Value::Struct(members) => {
            xml.push_str("<struct>");
            for (name, value) in members {
                xml.push_str(&format!("<member><name>{}</name>", escape(name)));
                write_value(xml, value);
                xml.push_str("</member>");
            }
            xml.push_str("</struct>");
        }
    }
    xml.push_str("</value>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_typed_and_escaped() {
        let xml = call("supervisor.x", &["a<b>&".into(), true.into(), (-7).into()]);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>supervisor.x</methodName><params>\
             <param><value><string>a&lt;b&gt;&amp;</string></value></param>\
             <param><value><boolean>1</boolean></value></param>\
             <param><value><int>-7</int></value></param>\
             </params></methodCall>\n"
        );
    }
}
