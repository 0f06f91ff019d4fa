BEGIN TRANSACTION;
CREATE TABLE accounts (
	organisation_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	password TEXT, 
	totp TEXT, 
	totp_step INTEGER NOT NULL, 
	invited_sha256 TEXT, 
	invited_until TEXT, 
	PRIMARY KEY (organisation_id, person_id)
)
 STRICT

;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE alerts (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	raised_at TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	band TEXT NOT NULL, 
	holder_id TEXT NOT NULL, 
	merchant_id TEXT NOT NULL, 
	first_on TEXT NOT NULL, 
	last_on TEXT NOT NULL, 
	at_stake_pence INTEGER NOT NULL, 
	strength REAL NOT NULL, 
	state TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	is_second_look INTEGER NOT NULL, 
	assigned_to TEXT NOT NULL, 
	due_on TEXT NOT NULL, 
	snoozed_until TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, alert_id)
)
 STRICT

;
INSERT INTO "alerts" VALUES('force','finance','df29042c3160','fdedc1bc5758','2026-11-24T09:30:00Z','A','split','split-same-day','more usual','E1','NEW FIRM','2026-10-11','2026-10-11',185000,1.715034155,'explained',1,0,'','','','');
INSERT INTO "alerts" VALUES('force','psd','24f6e2cd26f6','fdedc1bc5758','2026-11-24T09:30:00Z','B','repeat','equal-amounts-across-holders','more usual','4 holders','TRAINING HALL','2026-10-12','2026-10-12',34000,0.321432682,'open',0,0,'','','','');
CREATE TABLE decisions (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	assigned_to TEXT NOT NULL, 
	due_on TEXT NOT NULL, 
	snoozed_until TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	decided_by TEXT NOT NULL, 
	decided_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, alert_id, version)
)
 STRICT

;
INSERT INTO "decisions" VALUES('force','finance','df29042c3160',1,'explained','two orders seen','','','','','finance','2026-11-24T09:30:00Z');
CREATE TABLE disclosures (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	disclosure_id TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, disclosure_id)
)
 STRICT

;
CREATE TABLE documents (
	organisation_id TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	content BLOB NOT NULL, 
	made_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, sha256)
)
 STRICT

;
INSERT INTO "documents" VALUES('force','2157c0a5e05b26c9868ee3e3698bb3e6a1aa07c5267cf8e0a68ed9082f8ad134','rules',X'7B22657175616C2D616D6F756E74732D6163726F73732D686F6C646572732E746F6D6C223A226964202020202020203D205C22657175616C2D616D6F756E74732D6163726F73732D686F6C646572735C225C6E7469746C65202020203D205C225365766572616C20686F6C646572732070616964206F6E65206D65726368616E74207468652073616D652073756D206F6E206F6E65206461795C225C6E6B696E6420202020203D205C227265706561745C225C6E6C6576656C202020203D205C226D656469756D5C225C6E7374617475732020203D205C22737461626C655C225C6E6C616E6520202020203D205C227073645C225C6E726F6C6520202020203D205C227261697365735C225C6E73696E6365202020203D20323032362D31312D30315C6E65766964656E6365203D205C22657175616C5F6163726F73735F686F6C646572735C225C6E6661637420202020203D205C227B657175616C5F616D6F756E745F686F6C646572735F636F756E747D20686F6C646572732070616964206F6E65206D65726368616E74207B616D6F756E745F70656E63657D2065616368206F6E206F6E65206461792E204F6620746865206D65726368616E742773206561726C696572207061796D656E7473207B657175616C5F616D6F756E745F686F6C646572735F6265666F72655F73686172657D2077657265206F6620746869732073756D2E5C225C6E7768792020202020203D205C224F6E65207075726368617365206D61792068617665206265656E20736861726564206F757420696E20657175616C207061727473206F766572207365766572616C2063617264732E5C225C6E61736B203D205B5C6E202020205C225761732074686973206F6E6520707572636861736520666F72207468652067726F75703F5C222C5C6E202020205C2257686F20617272616E6765642069743F5C222C5C6E5D5C6E696E6E6F63656E74203D205B5C6E202020205C224120636F6E666572656E636520666565206F72207469636B657420656163682E5C222C5C6E202020205C224B69742069737375656420746F2061207465616D2C206561636820706179696E67207468656972206F776E2E5C222C5C6E202020205C22412066697865642070726963652E5C222C5C6E5D5C6E736F7572636573203D205B5C6E202020205C2243504746207075626C69632D636F6E74726F6C2070726F6A6563742C204272617A696C3A203220686F6C64657273206E6F7461626C652C203320746F2034207374726F6E6765722C2035206F72206D6F7265207374726F6E676573745C222C5C6E202020205C2253747564656E74206175646974206F66204F6B6C61686F6D6120537461746520556E69766572736974792070757263686173652D6361726420646174612C20323031343A2033206F66203234207061697273206E656172206365727461696E5C222C5C6E5D5C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C22657175616C5F616D6F756E745F686F6C646572735F636F756E745C225C6E69732020202020203D205C223E3D5C225C6E7468616E202020203D20335C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C22616D6F756E745F70656E63655C225C6E69732020202020203D205C223E3D5C225C6E7468616E202020203D205C22706F6C6963792E6D6174657269616C6974795F70656E63655C225C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C22657175616C5F616D6F756E745F686F6C646572735F6265666F72655F73686172655C225C6E69732020202020203D205C223C3D5C225C6E7468616E202020203D20302E30355C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C22666F757220686F6C646572732C2032343020706F756E647320656163685C225C6E6669726573203D20747275655C6E676976656E203D207B20657175616C5F616D6F756E745F686F6C646572735F636F756E74203D20342C20616D6F756E745F70656E6365203D2032345F3030302C205C22706F6C6963792E6D6174657269616C6974795F70656E63655C22203D20323530302C20657175616C5F616D6F756E745F686F6C646572735F6265666F72655F7368617265203D20302E30207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C2274776F20686F6C646572735C225C6E6669726573203D2066616C73655C6E676976656E203D207B20657175616C5F616D6F756E745F686F6C646572735F636F756E74203D20322C20616D6F756E745F70656E6365203D2032345F3030302C205C22706F6C6963792E6D6174657269616C6974795F70656E63655C22203D20323530302C20657175616C5F616D6F756E745F686F6C646572735F6265666F72655F7368617265203D20302E30207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C2261206D65726368616E7420776974682061207072696365206C6973745C225C6E6669726573203D2066616C73655C6E676976656E203D207B20657175616C5F616D6F756E745F686F6C646572735F636F756E74203D20342C20616D6F756E745F70656E6365203D2032345F3030302C205C22706F6C6963792E6D6174657269616C6974795F70656E63655C22203D20323530302C20657175616C5F616D6F756E745F686F6C646572735F6265666F72655F7368617265203D20302E36207D5C6E222C2273706C69742D73616D652D6461792E746F6D6C223A226964202020202020203D205C2273706C69742D73616D652D6461795C225C6E7469746C65202020203D205C225365766572616C207061796D656E747320746F206F6E65206D65726368616E74206F6E206F6E6520646179207061737320746865206C696D697420746F6765746865725C225C6E6B696E6420202020203D205C2273706C69745C225C6E6C6576656C202020203D205C22686967685C225C6E7374617475732020203D205C22737461626C655C225C6E6C616E6520202020203D205C2266696E616E63655C225C6E726F6C6520202020203D205C227261697365735C225C6E73696E6365202020203D20323032362D31312D30315C6E65766964656E6365203D205C226C696D69745F73706C69745C225C6E6661637420202020203D205C227B6C696D69745F73706C69745F636F756E747D207061796D656E747320746F206F6E65206D65726368616E74207B6C696D69745F73706C69745F7370616E5F646179737D2C207B6C696D69745F73706C69745F746F74616C5F70656E63657D20746F6765746865723B20746865206C696D697420666F72206F6E65207075726368617365206973207B6C696D69745F73706C69745F6C696D69745F70656E63657D2C20616E642069742074616B6573206174206C65617374207B6C696D69745F73706C69745F6E65656465645F636F756E747D206F66207468656D20746F20706173732069742E5C225C6E7768792020202020203D205C2241207075726368617365206F76657220746865206C696D6974206E6565647320616E206F7264657220616E642061207365636F6E64207369676E61747572652E20506179696E6720697420696E2070617274732061766F69647320626F74682E5C225C6E61736B203D205B5C6E202020205C225761732074686973206F6E65206F72646572206F72207365766572616C3F20506C656173652073656E642065616368206F7264657220616E64206561636820726563656970742E5C222C5C6E202020205C22496620697420776173206F6E65206E6565642C2077686F206465636964656420746F2070617920697420696E2070617274733F5C222C5C6E5D5C6E696E6E6F63656E74203D205B5C6E202020205C2254776F207369746573206F722074776F206A6F6273206F7264657265642073657061726174656C792066726F6D206F6E6520737570706C696572206F6E207468652073616D65206461792E5C222C5C6E202020205C224F6E652062696C6C20666F7220656163682067756573742C2074726176656C6C6572206F722076656869636C652E5C222C5C6E202020205C22546865206D65726368616E7427732074696C6C206F7220746865206361726420726561646572206861732061206C696D6974206F6620697473206F776E2E5C222C5C6E5D5C6E736F7572636573203D205B5C6E202020205C22555320476F7665726E6D656E74204163636F756E746162696C697479204F66666963652C2047414F2D30382D3333332C20476F7665726E6D656E74776964652050757263686173652043617264732C20323030382C20617070656E6469782049493A2073616D6520686F6C6465722C2073616D652076656E646F722C2073616D65206461795C222C5C6E202020205C224A504D6F7267616E205061796D656E744E65742C2068656C70207061676573206F6E20636F6D706C69616E6365206D6F6E69746F72696E6720616E642073706C69742D7472616E73616374696F6E206D6F6E69746F72735C222C5C6E202020205C2253617261736F746120436F756E747920436C65726B2C20496E7465726E616C204175646974206F66207468652050757263686173696E6720436172642050726F6772616D2C20323031383A20373120666F756E642C203320757068656C64207769746820612072756C65206F662074686973206B696E6420616C6F6E655C222C5C6E5D5C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C226C696D69745F73706C69745F636F756E745C225C6E69732020202020203D205C223E3D5C225C6E7468616E202020203D20325C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C226C696D69745F73706C69745F7370616E5F646179735C225C6E69732020202020203D205C223D3D5C225C6E7468616E202020203D20305C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C226C696D69745F73706C69745F6561726C6965725F636F756E745C225C6E69732020202020203D205C223C3D5C225C6E7468616E202020203D205C22706F6C6963792E68616269745F77696E646F77735C225C6E5C6E5B5B7768656E5D5D5C6E66656174757265203D205C226C696D69745F73706C69745F6368616E63655F73686172655C225C6E69732020202020203D205C223C3D5C225C6E7468616E202020203D20302E30325C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C2274776F207061796D656E7473206F6E206F6E65206461792074686174207061737320746865206C696D697420746F6765746865725C225C6E6669726573203D20747275655C6E676976656E203D207B206C696D69745F73706C69745F6368616E63655F7368617265203D20302E3030312C206C696D69745F73706C69745F636F756E74203D20322C206C696D69745F73706C69745F7370616E5F64617973203D20302C206C696D69745F73706C69745F6561726C6965725F636F756E74203D20302C205C22706F6C6963792E68616269745F77696E646F77735C22203D2033207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C227468652073616D65206F7665722074776F206461797320697320616E6F746865722072756C6527735C225C6E6669726573203D2066616C73655C6E676976656E203D207B206C696D69745F73706C69745F6368616E63655F7368617265203D20302E3030312C206C696D69745F73706C69745F636F756E74203D20322C206C696D69745F73706C69745F7370616E5F64617973203D20312C206C696D69745F73706C69745F6561726C6965725F636F756E74203D20302C205C22706F6C6963792E68616269745F77696E646F77735C22203D2033207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C2274686520666F7572746820737563682064617920696E20612079656172207374696C6C20636F756E74735C225C6E6669726573203D20747275655C6E676976656E203D207B206C696D69745F73706C69745F6368616E63655F7368617265203D20302E3030312C206C696D69745F73706C69745F636F756E74203D20332C206C696D69745F73706C69745F7370616E5F64617973203D20302C206C696D69745F73706C69745F6561726C6965725F636F756E74203D20332C205C22706F6C6963792E68616269745F77696E646F77735C22203D2033207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C2274686520666966746820737563682064617920696E2061207965617220697320612068616269745C225C6E6669726573203D2066616C73655C6E676976656E203D207B206C696D69745F73706C69745F6368616E63655F7368617265203D20302E3030312C206C696D69745F73706C69745F636F756E74203D20332C206C696D69745F73706C69745F7370616E5F64617973203D20302C206C696D69745F73706C69745F6561726C6965725F636F756E74203D20342C205C22706F6C6963792E68616269745F77696E646F77735C22203D2033207D5C6E5C6E5B5B6578616D706C655D5D5C6E6361736520203D205C22612073756D2074686174207468697320686F6C6465722773207061747465726E206F6674656E206D616B65735C225C6E6669726573203D2066616C73655C6E676976656E203D207B206C696D69745F73706C69745F6368616E63655F7368617265203D20302E332C206C696D69745F73706C69745F636F756E74203D20322C206C696D69745F73706C69745F7370616E5F64617973203D20302C206C696D69745F73706C69745F6561726C6965725F636F756E74203D20302C205C22706F6C6963792E68616269745F77696E646F77735C22203D2033207D5C6E227D','2026-11-24T09:30:00Z');
CREATE TABLE events (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, seq)
)
 STRICT

;
INSERT INTO "events" VALUES('force','finance',1,'{"action":"access","actor":"cardwatch","at":"2026-11-24T09:30:00Z","counts":{},"id":"force","object":"organisation","outcome":"done","purpose":"","role":"admin","seq":1}','ea91a01da82b389fad90c7f1a0a92d1804fd510bb9eaa6dbc76570822e610817');
INSERT INTO "events" VALUES('force','finance',2,'{"action":"alteration","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{},"id":"","object":"rules","outcome":"done","purpose":"","role":"finance","seq":2}','8a6d3670c76529c554242672622593d8bb79707e923f5fbdfa9760192045e887');
INSERT INTO "events" VALUES('force','finance',3,'{"action":"combination","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{},"id":"c78f719013a5","object":"statement","outcome":"done","purpose":"","role":"finance","seq":3}','27734738169bf9193bfc0109bbdaa7e86b559a4b635abc9d39211ba0fca76909');
INSERT INTO "events" VALUES('force','finance',4,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"transactions":12},"id":"c78f719013a5","object":"statement","outcome":"done","purpose":"","role":"finance","sealed":["6fc72f8bceabb95b57c11178c3d0a628","85f385e435c8f57a5091cad1f3cf6079"],"seq":4}','032da67398aad36af8654be09dde751c3d15cf9e46ef09efa22e249460fe911b');
INSERT INTO "events" VALUES('force','finance',5,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"again":0,"closed":0,"new":0,"not_asked":0,"second_look":0,"suppressed":0},"id":"c78f719013a5","object":"alerts","outcome":"done","purpose":"","role":"finance","seq":5}','857c178a1d8eaa241a1d80291b09ef55b485910af4770fa8b27dc561e64f3ddb');
INSERT INTO "events" VALUES('force','psd',1,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"again":0,"closed":0,"new":0,"not_asked":0,"second_look":0,"suppressed":0},"id":"c78f719013a5","object":"alerts","outcome":"done","purpose":"","role":"finance","sealed":["5506af13b5b5b83b9e711717fe5fb5e8"],"seq":1}','89d6739f2c09a147ebaa3624be6e03d763ac56ff0d0c98557bd01d7bca4f213c');
INSERT INTO "events" VALUES('force','finance',6,'{"action":"combination","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{},"id":"fdedc1bc5758","object":"statement","outcome":"done","purpose":"","role":"finance","seq":6}','f31399362c85bdc5b84ff8314e1f50b27925c14e4e47343431d4ece3ed4098d8');
INSERT INTO "events" VALUES('force','finance',7,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"transactions":18},"id":"fdedc1bc5758","object":"statement","outcome":"done","purpose":"","role":"finance","sealed":["31cea4a38bf55983c354b4a9724e7952","c92cf2aa90e6387874f3992c81c2a9c1","ec85707cf91325c476d1e901fd068f4d"],"seq":7}','6e7629a2e209374158cd2362913b43eb8c52a51cea92fccbe02adbadbd504115');
INSERT INTO "events" VALUES('force','finance',8,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"again":0,"closed":0,"new":1,"not_asked":0,"second_look":0,"suppressed":0},"id":"fdedc1bc5758","object":"alerts","outcome":"done","purpose":"","role":"finance","seq":8}','71ee307e466320365d71e2a9ce9dec3ee83a3001996f912a707400abf8ab85df');
INSERT INTO "events" VALUES('force','psd',2,'{"action":"collection","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{"again":0,"closed":0,"new":1,"not_asked":0,"second_look":0,"suppressed":0},"id":"fdedc1bc5758","object":"alerts","outcome":"done","purpose":"","role":"finance","sealed":["66e98fae6dc70fc55943daf376f5c6fa","e015cf115650c5476d3d646a901b1e85"],"seq":2}','bb54a79bab971dd636bfba37ab7b007c1d923ef73b3a74986f05393873407e68');
INSERT INTO "events" VALUES('force','finance',9,'{"action":"consultation","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{},"id":"","object":"alerts","outcome":"done","purpose":"","role":"finance","seq":9}','c2f31738acb01853ea300f3f9624e0d87041a622e4154ea804f1c2b2aebb111c');
INSERT INTO "events" VALUES('force','finance',10,'{"action":"alteration","actor":"finance","at":"2026-11-24T09:30:00Z","counts":{},"id":"df29042c3160","object":"alert","outcome":"done","purpose":"","role":"finance","sealed":["5b6d0ad1059973528d914fa697b6d86d"],"seq":10}','9e96d15cbc9dd336eb45ece98d165aa4004105c90f3be3b6c3216825a7c2da8d');
INSERT INTO "events" VALUES('force','psd',3,'{"action":"consultation","actor":"psd","at":"2026-11-24T09:30:00Z","counts":{},"id":"","object":"alerts","outcome":"done","purpose":"","role":"psd","seq":3}','53832816ae76df25d4debf8c27b7906f7c55df56b8e9f7ae6a663d87af7b425a');
INSERT INTO "events" VALUES('force','psd',4,'{"action":"alteration","actor":"psd","at":"2026-11-24T09:30:00Z","counts":{},"id":"a2e05fad2955","object":"hold","outcome":"done","purpose":"","role":"psd","seq":4}','784f8c92b5636b0eedd586b32f79149e431c5f1750728a3f9e2ffb0a79ae8076');
CREATE TABLE evidence (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	"row" INTEGER NOT NULL, 
	PRIMARY KEY (organisation_id, lane, alert_id, statement_id, "row")
)
 STRICT

;
INSERT INTO "evidence" VALUES('force','finance','df29042c3160','fdedc1bc5758',14);
INSERT INTO "evidence" VALUES('force','finance','df29042c3160','fdedc1bc5758',15);
INSERT INTO "evidence" VALUES('force','psd','24f6e2cd26f6','fdedc1bc5758',16);
INSERT INTO "evidence" VALUES('force','psd','24f6e2cd26f6','fdedc1bc5758',17);
INSERT INTO "evidence" VALUES('force','psd','24f6e2cd26f6','fdedc1bc5758',18);
INSERT INTO "evidence" VALUES('force','psd','24f6e2cd26f6','fdedc1bc5758',19);
CREATE TABLE holds (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	hold_id TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	ended_at TEXT, 
	PRIMARY KEY (organisation_id, lane, hold_id)
)
 STRICT

;
INSERT INTO "holds" VALUES('force','psd','a2e05fad2955','24f6e2cd26f6','case 12','psd','2026-11-24T09:30:00Z',NULL);
CREATE TABLE in_force (
	organisation_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	holds_from TEXT NOT NULL, 
	put_by TEXT NOT NULL, 
	put_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, kind, seq)
)
 STRICT

;
INSERT INTO "in_force" VALUES('force','rules',1,'2157c0a5e05b26c9868ee3e3698bb3e6a1aa07c5267cf8e0a68ed9082f8ad134','2020-01-01','finance','2026-11-24T09:30:00Z');
CREATE TABLE jobs (
	organisation_id TEXT NOT NULL, 
	job_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	role TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	state TEXT NOT NULL, 
	percent INTEGER NOT NULL, 
	tries INTEGER NOT NULL, 
	leased_until TEXT, 
	content BLOB NOT NULL, 
	answer TEXT, 
	PRIMARY KEY (organisation_id, job_id)
)
 STRICT

;
CREATE TABLE keys (
	organisation_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	secret_sha256 TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	expires_on TEXT NOT NULL, 
	ended_at TEXT, 
	PRIMARY KEY (organisation_id, key_id)
)
 STRICT

;
CREATE TABLE layouts (
	organisation_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	content TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, name)
)
 STRICT

;
CREATE TABLE lists (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	content TEXT NOT NULL, 
	alerts_sha256 TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, statement_id)
)
 STRICT

;
INSERT INTO "lists" VALUES('force','finance','c78f719013a5','{"alerts":[],"expected":null,"first_on":"2026-09-01","last_on":"2026-09-12","made_by":{"cards":"none","cardwatch":"0.1.0","forest":"none","policy":"34592522c4a3821a7caa0e1458340692021c81a57fa4d88e7439e71bf22033ff","rules":"18f5642a7753f4d484556823db4ff1510e48f18d38052d6764c184edc7be6862"},"notes":["No payment deserves a question by these rules and figures.","Payments are compared with the statements themselves, as no history was given.","Among 12 payments none can be shown to be as rare as 1 in 1,000: nothing is called unusual yet.","The policy states no limit for a single purchase: splits are looked for at £1,000, at a lower level, and payments over it are not asked about. State your limits in a policy file.","Rules alone: an isolation forest needs 50 holders and 4,000 payments to learn from."],"organisation":"","payments_count":12}','e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
INSERT INTO "lists" VALUES('force','psd','c78f719013a5','{"alerts":[],"expected":null,"first_on":"2026-09-01","last_on":"2026-09-12","made_by":{"cards":"none","cardwatch":"0.1.0","forest":"none","policy":"34592522c4a3821a7caa0e1458340692021c81a57fa4d88e7439e71bf22033ff","rules":"dab6ade828232a62a48b155438b4b7e67e7226caae223456f1b48b6b349a428c"},"notes":["No payment deserves a question by these rules and figures.","Payments are compared with the statements themselves, as no history was given.","Among 12 payments none can be shown to be as rare as 1 in 1,000: nothing is called unusual yet.","The policy states no limit for a single purchase: splits are looked for at £1,000, at a lower level, and payments over it are not asked about. State your limits in a policy file.","Rules alone: an isolation forest needs 50 holders and 4,000 payments to learn from."],"organisation":"","payments_count":12}','e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
INSERT INTO "lists" VALUES('force','finance','fdedc1bc5758','{"alerts":[],"expected":null,"first_on":"2026-10-01","last_on":"2026-10-12","made_by":{"cards":"none","cardwatch":"0.1.0","forest":"none","policy":"34592522c4a3821a7caa0e1458340692021c81a57fa4d88e7439e71bf22033ff","rules":"18f5642a7753f4d484556823db4ff1510e48f18d38052d6764c184edc7be6862"},"notes":["1 alert. Without history nothing can be said about how many to expect. An alert is a reason to ask, not a finding.","Payments are compared with all 30 payments known, as fewer than 500 are earlier.","Among 30 payments none can be shown to be as rare as 1 in 1,000: nothing is called unusual yet.","The policy states no limit for a single purchase: splits are looked for at £1,000, at a lower level, and payments over it are not asked about. State your limits in a policy file.","Rules alone: an isolation forest needs 50 holders and 4,000 payments to learn from."],"organisation":"","payments_count":18}','f452aae25a076d66bc25716153a3451d713a2c0da663e44cd6615c5275a51d09');
INSERT INTO "lists" VALUES('force','psd','fdedc1bc5758','{"alerts":[],"expected":null,"first_on":"2026-10-01","last_on":"2026-10-12","made_by":{"cards":"none","cardwatch":"0.1.0","forest":"none","policy":"34592522c4a3821a7caa0e1458340692021c81a57fa4d88e7439e71bf22033ff","rules":"dab6ade828232a62a48b155438b4b7e67e7226caae223456f1b48b6b349a428c"},"notes":["1 alert. Without history nothing can be said about how many to expect. An alert is a reason to ask, not a finding.","Payments are compared with all 30 payments known, as fewer than 500 are earlier.","Among 30 payments none can be shown to be as rare as 1 in 1,000: nothing is called unusual yet.","The policy states no limit for a single purchase: splits are looked for at £1,000, at a lower level, and payments over it are not asked about. State your limits in a policy file.","Rules alone: an isolation forest needs 50 holders and 4,000 payments to learn from."],"organisation":"","payments_count":18}','02a1035057000340960ddc9ccda21f21457a1ab4dcf79612224f1a7842b2ac80');
CREATE TABLE merchants (
	organisation_id TEXT NOT NULL, 
	printed TEXT NOT NULL, 
	name TEXT NOT NULL, 
	made_with TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, printed)
)
 STRICT

;
INSERT INTO "merchants" VALUES('force','SHOP 0','SHOP 0','0.1.0');
INSERT INTO "merchants" VALUES('force','SHOP 1','SHOP 1','0.1.0');
INSERT INTO "merchants" VALUES('force','SHOP 2','SHOP 2','0.1.0');
INSERT INTO "merchants" VALUES('force','NEW FIRM','NEW FIRM','0.1.0');
INSERT INTO "merchants" VALUES('force','TRAINING HALL','TRAINING HALL','0.1.0');
CREATE TABLE organisations (
	organisation_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	keeps TEXT NOT NULL, 
	secret TEXT NOT NULL, 
	PRIMARY KEY (organisation_id)
)
 STRICT

;
INSERT INTO "organisations" VALUES('force','Force','2026-11-24T09:30:00Z','{"alerts":2557,"notices":90,"transactions":2557}','d917537f7f64aed2e4a3ddbc8bbec7ec2390fc466ffbd26c0dcd819a03e12454');
CREATE TABLE outbox (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	notice_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	sent_at TEXT, 
	tries INTEGER NOT NULL, 
	next_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, notice_id)
)
 STRICT

;
INSERT INTO "outbox" VALUES('force','finance','75ff4ab39414','list','2026-11-24T09:30:00Z',NULL,0,'2026-11-24T09:30:00Z');
INSERT INTO "outbox" VALUES('force','psd','3a52c26f6133','list','2026-11-24T09:30:00Z',NULL,0,'2026-11-24T09:30:00Z');
INSERT INTO "outbox" VALUES('force','finance','168d47a3d971','list','2026-11-24T09:30:00Z',NULL,0,'2026-11-24T09:30:00Z');
INSERT INTO "outbox" VALUES('force','psd','9ea4792840aa','list','2026-11-24T09:30:00Z',NULL,0,'2026-11-24T09:30:00Z');
CREATE TABLE people (
	organisation_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT NOT NULL, 
	role TEXT NOT NULL, 
	holder_id TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	ended_at TEXT, 
	identity TEXT, 
	PRIMARY KEY (organisation_id, person_id), 
	UNIQUE (organisation_id, email), 
	UNIQUE (organisation_id, identity)
)
 STRICT

;
CREATE TABLE proposals (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	proposal_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	holds_from TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	state TEXT NOT NULL, 
	decided_by TEXT, 
	decided_at TEXT, 
	PRIMARY KEY (organisation_id, lane, proposal_id)
)
 STRICT

;
CREATE TABLE raised (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	rank INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, statement_id, alert_id)
)
 STRICT

;
INSERT INTO "raised" VALUES('force','finance','fdedc1bc5758','df29042c3160',1,'{"alert_id":"df29042c3160","at_stake_pence":185000,"cards":[],"chance":0.05586058606309866,"contributions":{},"cost_centre":"","first_on":"2026-10-11","holder_id":"E1","kind":"split","lane":"finance","last_on":"2026-10-11","merchant":"NEW FIRM","merchant_history":"Before this, no payment by this holder to this merchant. Nobody else had.","payments":[{"amount_pence":90000,"date":"2026-10-11","file":"2026-10.csv","holder_id":"E1","merchant":"NEW FIRM","reference":"S1","row":14},{"amount_pence":95000,"date":"2026-10-11","file":"2026-10.csv","holder_id":"E1","merchant":"NEW FIRM","reference":"S2","row":15}],"rank":1,"reasons":[{"ask":["Was this one order or several? Please send each order and each receipt.","If it was one need, who decided to pay it in parts?"],"fact":"2 payments to one merchant on one day, £1,850 together; the limit for one purchase is £1,000, and it takes at least 2 of them to pass it.","figures":{"limit_split_chance_share":9.54913926e-12,"limit_split_count":2.0,"limit_split_earlier_count":0.0,"limit_split_limit_pence":100000.0,"limit_split_needed_count":2.0,"limit_split_span_days":0.0,"limit_split_total_pence":185000.0},"innocent":["Two sites or two jobs ordered separately from one supplier on the same day.","One bill for each guest, traveller or vehicle.","The merchant''s till or the card reader has a limit of its own."],"rule":"split-same-day","title":"Several payments to one merchant on one day pass the limit together","why":"A purchase over the limit needs an order and a second signature. Paying it in parts avoids both."}],"shown":true,"tier":"A","title":"Several payments to one merchant on one day pass the limit together","unusual":[],"unusualness":null,"weakened_by":[]}');
INSERT INTO "raised" VALUES('force','psd','fdedc1bc5758','24f6e2cd26f6',1,'{"alert_id":"24f6e2cd26f6","at_stake_pence":34000,"cards":[],"chance":0.7328638828409387,"contributions":{},"cost_centre":"","first_on":"2026-10-12","holder_id":"4 holders","kind":"repeat","lane":"psd","last_on":"2026-10-12","merchant":"TRAINING HALL","merchant_history":"","payments":[{"amount_pence":8500,"date":"2026-10-12","file":"2026-10.csv","holder_id":"E0","merchant":"TRAINING HALL","reference":"Q0","row":16},{"amount_pence":8500,"date":"2026-10-12","file":"2026-10.csv","holder_id":"E1","merchant":"TRAINING HALL","reference":"Q1","row":17},{"amount_pence":8500,"date":"2026-10-12","file":"2026-10.csv","holder_id":"E2","merchant":"TRAINING HALL","reference":"Q2","row":18},{"amount_pence":8500,"date":"2026-10-12","file":"2026-10.csv","holder_id":"E3","merchant":"TRAINING HALL","reference":"Q3","row":19}],"rank":1,"reasons":[{"ask":["Was this one purchase for the group?","Who arranged it?"],"fact":"4 holders paid one merchant £85 each on one day. Of the merchant''s earlier payments none were of this sum.","figures":{"amount_pence":8500,"equal_amount_holders_before_share":0.0,"equal_amount_holders_count":4.0},"innocent":["A conference fee or ticket each.","Kit issued to a team, each paying their own.","A fixed price."],"rule":"equal-amounts-across-holders","title":"Several holders paid one merchant the same sum on one day","why":"One purchase may have been shared out in equal parts over several cards."}],"shown":true,"tier":"B","title":"Several holders paid one merchant the same sum on one day","unusual":[],"unusualness":null,"weakened_by":[]}');
CREATE TABLE reminders (
	organisation_id TEXT NOT NULL, 
	sent_on TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, sent_on)
)
 STRICT

;
CREATE TABLE sessions (
	organisation_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	browser TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, session_id)
)
 STRICT

;
CREATE TABLE statements (
	organisation_id TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	label TEXT NOT NULL, 
	received_by TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	corrects TEXT, 
	superseded_seq INTEGER, 
	first_on TEXT NOT NULL, 
	last_on TEXT NOT NULL, 
	transactions INTEGER NOT NULL, 
	pence INTEGER NOT NULL, 
	held_before INTEGER NOT NULL, 
	rows_sha256 TEXT NOT NULL, 
	report TEXT NOT NULL, 
	is_scored INTEGER NOT NULL, 
	window_from TEXT, 
	input_sha256 TEXT, 
	made_with TEXT, 
	erased_at TEXT, 
	PRIMARY KEY (organisation_id, statement_id), 
	UNIQUE (organisation_id, label), 
	UNIQUE (organisation_id, seq), 
	UNIQUE (organisation_id, sha256)
)
 STRICT

;
INSERT INTO "statements" VALUES('force','c78f719013a5',1,'41b1a554f8f0e961259bc665e5a7828e397c502db79b6e315e7e577ebd57da5b','2026-09.csv','finance','2026-11-24T09:30:00Z',NULL,NULL,'2026-09-01','2026-09-12',12,19200,0,'7d32d4385e71760c3c5b21dde6a41a9837eb7de29c5de7464742d44438deef4a','{"blank":0,"cards":0,"columns":{"amount":"Amount","date":"Date","employee_id":"Employee ID","merchant":"Merchant","transaction_id":"Reference"},"decisions":["text in utf-8","cells separated by comma","dates state their order"],"elsewhere":0,"ended":0,"file":"2026-09.csv","first_on":"2026-09-01","form":"csv","headings":0,"last_on":"2026-09-12","layout":"any","notes":[],"pence":19200,"problems":[],"refused":"","rows":12,"sha256":"41b1a554f8f0e961259bc665e5a7828e397c502db79b6e315e7e577ebd57da5b","totals":[],"transactions":12}',1,'2025-07-28','7d32d4385e71760c3c5b21dde6a41a9837eb7de29c5de7464742d44438deef4a','{"cards":"","cardwatch":"0.1.0","model":"","policy":"","rules":"2157c0a5e05b26c9868ee3e3698bb3e6a1aa07c5267cf8e0a68ed9082f8ad134"}',NULL);
INSERT INTO "statements" VALUES('force','fdedc1bc5758',2,'25c6fd6c4d6cf520c39093f0883522d70d353e34d627a76ee6dab25a43d225ab','2026-10.csv','finance','2026-11-24T09:30:00Z',NULL,NULL,'2026-10-01','2026-10-12',18,238200,0,'4a6e6c683495befa9550c150b2e8d3b946f5601fb38e09a80dc968b6b9cd380f','{"blank":0,"cards":0,"columns":{"amount":"Amount","date":"Date","employee_id":"Employee ID","merchant":"Merchant","transaction_id":"Reference"},"decisions":["text in utf-8","cells separated by comma","dates state their order"],"elsewhere":0,"ended":0,"file":"2026-10.csv","first_on":"2026-10-01","form":"csv","headings":0,"last_on":"2026-10-12","layout":"any","notes":[],"pence":238200,"problems":[],"refused":"","rows":18,"sha256":"25c6fd6c4d6cf520c39093f0883522d70d353e34d627a76ee6dab25a43d225ab","totals":[],"transactions":18}',1,'2025-08-27','68c4fe020bc859de77d80bddcefbe517cb0461960280c5e8dde00b55ab3bc343','{"cards":"","cardwatch":"0.1.0","model":"","policy":"","rules":"2157c0a5e05b26c9868ee3e3698bb3e6a1aa07c5267cf8e0a68ed9082f8ad134"}',NULL);
CREATE TABLE subjects (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	person TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, alert_id, person)
)
 STRICT

;
INSERT INTO "subjects" VALUES('force','finance','df29042c3160','e1');
INSERT INTO "subjects" VALUES('force','psd','24f6e2cd26f6','e0');
INSERT INTO "subjects" VALUES('force','psd','24f6e2cd26f6','e1');
INSERT INTO "subjects" VALUES('force','psd','24f6e2cd26f6','e2');
INSERT INTO "subjects" VALUES('force','psd','24f6e2cd26f6','e3');
CREATE TABLE suppressions (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	suppression_id TEXT NOT NULL, 
	holder_id TEXT NOT NULL, 
	merchant_id TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	expires_on TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	ended_at TEXT, 
	PRIMARY KEY (organisation_id, lane, suppression_id)
)
 STRICT

;
CREATE TABLE transactions (
	organisation_id TEXT NOT NULL, 
	statement_id TEXT NOT NULL, 
	"row" INTEGER NOT NULL, 
	identity TEXT NOT NULL, 
	transaction_id TEXT NOT NULL, 
	date TEXT NOT NULL, 
	posting_date TEXT, 
	card_last4 TEXT NOT NULL, 
	card_token TEXT NOT NULL, 
	merchant TEXT NOT NULL, 
	mcc TEXT NOT NULL, 
	category TEXT NOT NULL, 
	cost_centre TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	original_amount TEXT NOT NULL, 
	original_currency TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	description TEXT NOT NULL, 
	amount_pence INTEGER NOT NULL, 
	day_doubled INTEGER NOT NULL, 
	key_holder_id TEXT, 
	key_employee_id TEXT, 
	key_account TEXT, 
	key_cardholder TEXT, 
	key_card_number TEXT, 
	is_kept_for_psd INTEGER NOT NULL, 
	PRIMARY KEY (organisation_id, statement_id, "row"), 
	FOREIGN KEY(organisation_id, statement_id) REFERENCES statements (organisation_id, statement_id)
)
 STRICT

;
INSERT INTO "transactions" VALUES('force','c78f719013a5',2,'02bde6501266e393ae4fcd41','R90','2026-09-01',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1050,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',3,'a0ee8540ce0e525cfedda11e','R91','2026-09-02',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1150,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',4,'088da46e2d81ddfb09322a4b','R92','2026-09-03',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1250,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',5,'d5239c7a0e7978d9f7ca44b4','R93','2026-09-04',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1350,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',6,'b6faf4fa35ef7e60861aec99','R94','2026-09-05',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1450,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',7,'8a330fa1a6b197b184985a4f','R95','2026-09-06',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1550,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',8,'76f9c61614d88e04a981d2c1','R96','2026-09-07',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1650,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',9,'3cb47f8ce3b3f6168b11dab1','R97','2026-09-08',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1750,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',10,'4cf3f995bf71852e2acd572e','R98','2026-09-09',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1850,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',11,'a26f77ec5860c89fafe8ef47','R99','2026-09-10',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1950,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',12,'a521e02822592ecea2ec006a','R910','2026-09-11',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',2050,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','c78f719013a5',13,'6a69f24fb9484b917f4a23b2','R911','2026-09-12',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',2150,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',2,'ebb62c93cf050cdab4f4b1e9','R100','2026-10-01',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1050,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',3,'9d43bf619778927f31489f43','R101','2026-10-02',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1150,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',4,'b7bd0c84330b61a99938e083','R102','2026-10-03',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1250,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',5,'ffba9c983387589ff5c7c0c8','R103','2026-10-04',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1350,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',6,'3154b8be39b6566c33524fd7','R104','2026-10-05',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1450,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',7,'a6cb6348ecaf6188312539a9','R105','2026-10-06',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1550,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',8,'196d5310e2396f85c936fac8','R106','2026-10-07',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1650,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',9,'ab115301450b51ab31160df0','R107','2026-10-08',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',1750,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',10,'f7c43b8be5e8fffc3ec66081','R108','2026-10-09',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',1850,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',11,'01eed8ad005e10c46dec76a2','R109','2026-10-10',NULL,'','','SHOP 0','','','','','GBP','','GBP','purchase','',1950,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',12,'4c09b72569f3845c2eb996b3','R1010','2026-10-11',NULL,'','','SHOP 1','','','','','GBP','','GBP','purchase','',2050,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',13,'d674a94ae6cf4b196e8f1da7','R1011','2026-10-12',NULL,'','','SHOP 2','','','','','GBP','','GBP','purchase','',2150,0,NULL,'E3',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',14,'586997c7a0de02e9ad240744','S1','2026-10-11',NULL,'','','NEW FIRM','','','','','GBP','','GBP','purchase','',90000,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',15,'f242187b640bd9735878e0f2','S2','2026-10-11',NULL,'','','NEW FIRM','','','','','GBP','','GBP','purchase','',95000,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',16,'22bacf307b0d81a6af0c7235','Q0','2026-10-12',NULL,'','','TRAINING HALL','','','','','GBP','','GBP','purchase','',8500,0,NULL,'E0',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',17,'c37111464d46680ac959ce10','Q1','2026-10-12',NULL,'','','TRAINING HALL','','','','','GBP','','GBP','purchase','',8500,0,NULL,'E1',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',18,'3fe1b6def60d47f4b88a426a','Q2','2026-10-12',NULL,'','','TRAINING HALL','','','','','GBP','','GBP','purchase','',8500,0,NULL,'E2',NULL,NULL,NULL,0);
INSERT INTO "transactions" VALUES('force','fdedc1bc5758',19,'e67a7019b1fd6e0733917226','Q3','2026-10-12',NULL,'','','TRAINING HALL','','','','','GBP','','GBP','purchase','',8500,0,NULL,'E3',NULL,NULL,NULL,0);
CREATE TABLE unmaskings (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	alert_id TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane, alert_id, made_by)
)
 STRICT

;
CREATE TABLE webhooks (
	organisation_id TEXT NOT NULL, 
	lane TEXT NOT NULL, 
	url TEXT NOT NULL, 
	secret TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	PRIMARY KEY (organisation_id, lane)
)
 STRICT

;
CREATE INDEX alerts_by_state ON alerts (organisation_id, lane, state);
CREATE INDEX evidence_by_row ON evidence (organisation_id, statement_id, "row");
CREATE INDEX jobs_by_state ON jobs (organisation_id, state);
CREATE INDEX sessions_by_person ON sessions (organisation_id, person_id);
CREATE INDEX transactions_by_day ON transactions (organisation_id, date);
CREATE INDEX transactions_by_identity ON transactions (organisation_id, identity);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER raised_no_update BEFORE UPDATE ON raised BEGIN SELECT RAISE(ABORT, 'raised are never changed'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE INDEX transactions_by_merchant ON transactions (organisation_id, merchant, date);
CREATE INDEX transactions_by_key_holder_id ON transactions (organisation_id, key_holder_id, date) WHERE key_holder_id IS NOT NULL;
CREATE INDEX transactions_by_key_employee_id ON transactions (organisation_id, key_employee_id, date) WHERE key_employee_id IS NOT NULL;
CREATE INDEX transactions_by_key_account ON transactions (organisation_id, key_account, date) WHERE key_account IS NOT NULL;
CREATE INDEX transactions_by_key_cardholder ON transactions (organisation_id, key_cardholder, date) WHERE key_cardholder IS NOT NULL;
CREATE INDEX transactions_by_key_card_number ON transactions (organisation_id, key_card_number, date) WHERE key_card_number IS NOT NULL;
CREATE INDEX merchants_by_name ON merchants (organisation_id, name);
COMMIT;
