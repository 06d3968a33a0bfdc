//! Configuration files and XML-RPC control of supervisord.
