-- A database of version 17 (slapos.core 1.21): two computers, a tree over both, and slaves.
BEGIN TRANSACTION;
CREATE TABLE computer17 (
  reference VARCHAR(255) DEFAULT 'COMP-1',
  address VARCHAR(255),
  netmask VARCHAR(255),
  PRIMARY KEY (reference)
);
INSERT INTO computer17 VALUES('COMP-1','127.0.0.1','255.255.255.255');
INSERT INTO computer17 VALUES('COMP-2','127.0.0.2','255.255.255.255');
CREATE TABLE config17 (
  name TEXT PRIMARY KEY,
  value TEXT
) WITHOUT ROWID;
INSERT INTO config17 VALUES('local_software_release_root','/');
CREATE TABLE forwarded_partition_request17 (
  partition_reference VARCHAR(255),
  master_url VARCHAR(255),
  PRIMARY KEY (partition_reference, master_url)
);
INSERT INTO forwarded_partition_request17 VALUES('slappart0_far','https://master.example.org/');
CREATE TABLE partition17 (
  reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT 'COMP-1',
  slap_state VARCHAR(255) DEFAULT 'free',
  software_release VARCHAR(255),
  xml TEXT,
  connection_xml TEXT,
  slave_instance_list TEXT,
  software_type VARCHAR(255),
  partition_reference VARCHAR(255),
  requested_by VARCHAR(255) NOT NULL DEFAULT '',
  requested_state VARCHAR(255) NOT NULL DEFAULT 'started',
  timestamp REAL,
  PRIMARY KEY (reference, computer_reference)
);
INSERT INTO partition17 VALUES('slappart0','COMP-1','busy','http://example.org/a/software.cfg','<?xml version=''1.0'' encoding=''utf-8''?>
<instance>
  <parameter id="a">b</parameter>
</instance>
',NULL,'<marshal><list id="i2"><dictionary id="i3"><string>slap_software_type</string><string>default</string><string>slave_reference</string><string>root_slave</string><string>slave_title</string><string>root_slave</string></dictionary></list></marshal>','default','root','','started',1795531810.4685810);
INSERT INTO partition17 VALUES('slappart1','COMP-1','busy','http://example.org/a/software.cfg','<instance/>',NULL,NULL,'default','child','root','stopped',1795531810.3471236);
INSERT INTO partition17 VALUES('slappart2','COMP-1','busy','http://example.org/a/software.cfg','<instance/>',NULL,NULL,'default','grandchild','root','destroyed',1795531810.3741248);
INSERT INTO partition17 VALUES('slappart3','COMP-1','free',NULL,NULL,NULL,NULL,NULL,NULL,'','started',NULL);
INSERT INTO partition17 VALUES('slappart0','COMP-2','busy','http://example.org/a/software.cfg','<instance/>',NULL,NULL,'default','away','root','started',1795531810.3978922);
INSERT INTO partition17 VALUES('slappart1','COMP-2','free',NULL,NULL,NULL,NULL,NULL,NULL,'','started',NULL);
CREATE TABLE partition_network17 (
  partition_reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT 'COMP-1',
  reference VARCHAR(255),
  address VARCHAR(255),
  netmask VARCHAR(255)
);
INSERT INTO partition_network17 VALUES('slappart0','COMP-1','slaptap0','10.0.0.2','255.255.255.255');
INSERT INTO partition_network17 VALUES('slappart0','COMP-2','slaptap0','10.0.1.2','255.255.255.255');
CREATE TABLE slave17 (
  reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT 'COMP-1',
  connection_xml TEXT,
  hosted_by VARCHAR(255),
  asked_by VARCHAR(255)
);
INSERT INTO slave17 VALUES('root_slave','COMP-1','<instance/>','slappart0','root');
INSERT INTO slave17 VALUES('_slave','COMP-1',NULL,'slappart0','');
CREATE TABLE software17 (
  url VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT 'COMP-1',
  requested_state VARCHAR(255) DEFAULT 'available',
  PRIMARY KEY (url, computer_reference)
);
INSERT INTO software17 VALUES('http://example.org/a/software.cfg','COMP-1','available');
INSERT INTO software17 VALUES('http://example.org/b/software.cfg','COMP-1','destroyed');
COMMIT;
