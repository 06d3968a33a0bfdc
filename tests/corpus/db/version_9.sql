-- A database of version 9 (slapos.core 0.30): slaves, but no states.
BEGIN TRANSACTION;
CREATE TABLE software9 (url VARCHAR(255) UNIQUE);
INSERT INTO software9 VALUES('http://example.org/a/software.cfg');
CREATE TABLE computer9 (
  address VARCHAR(255),
  netmask VARCHAR(255),
  CONSTRAINT uniq PRIMARY KEY (address, netmask));
INSERT INTO computer9 VALUES('127.0.0.1','255.255.255.255');
CREATE TABLE partition9 (
  reference VARCHAR(255) UNIQUE,
  slap_state VARCHAR(255) DEFAULT 'free',
  software_release VARCHAR(255),
  xml TEXT,
  connection_xml TEXT,
  slave_instance_list TEXT,
  software_type VARCHAR(255),
  partition_reference VARCHAR(255),
  requested_by VARCHAR(255)
);
INSERT INTO partition9 VALUES('slappart0','busy','http://example.org/a/software.cfg','<instance/>','<instance/>','<marshal><list id="i2"/></marshal>','default','root','');
INSERT INTO partition9 VALUES('slappart1','busy','http://example.org/a/software.cfg','<instance/>',NULL,NULL,'default','child','slappart0');
INSERT INTO partition9 VALUES('slappart2','free',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE slave9 (
  reference VARCHAR(255) UNIQUE,
  connection_xml TEXT,
  hosted_by VARCHAR(255),
  asked_by VARCHAR(255)
);
INSERT INTO slave9 VALUES('slappart1_slave','<instance/>','slappart0','slappart1');
INSERT INTO slave9 VALUES('_slave',NULL,'slappart0','');
CREATE TABLE partition_network9 (
  partition_reference VARCHAR(255),
  reference VARCHAR(255),
  address VARCHAR(255),
  netmask VARCHAR(255)
);
INSERT INTO partition_network9 VALUES('slappart0','slaptap0','10.0.0.2','255.255.255.255');
COMMIT;
