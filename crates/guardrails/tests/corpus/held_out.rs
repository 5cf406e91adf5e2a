//! What is reported on. Whoever tunes a guard does not look at what it gets wrong here.

use super::Templates;

pub(crate) const TEMPLATES: Templates =
    Templates { languages: [ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH], neutral: &[LOGS, TABLES, CODE, RECORDS, SECRETS] };

const ENGLISH: &[&str] = &[
    "Hello, this is {name} writing about case {order}; our meeting is on {date} at {time}.",
    "Drop a line to {email}, or ring my mobile: {phone}.",
    "The refund of {amount} should go to {iban}, thanks.",
    "They charged my Visa, {card}, on {date}.",
    "DOB {dob}. Home: {address}, second floor.",
    "For payroll you will need this: {id}.",
    "Enclosed: a copy of passport {passport}; the driver's license is {licence}.",
    "We met {name} near {address} at {time}.",
    "Tracking {order}, part {version}, reference {uuid}.",
    "lol {handle} sent it to {email} by mistake, look at {file}",
    "My address at the time was {ip}, says the provider.",
    "Fax {phone}, attention {name}",
];

const GERMAN: &[&str] = &[
    "Guten Tag, hier schreibt {name} zum Vorgang {order}.",
    "Rufen Sie bitte an: {phone}. E-Mail geht auch: {email}",
    "Erstattung bitte an {iban}, es sind {amount}.",
    "Abgebucht wurde von der Karte {card} am {date}.",
    "Geburtsdatum {dob}, Anschrift {address}",
    "Für das Finanzamt, meine IdNr.: {id}.",
    "Die Nummer im Reisepass lautet {passport}, die im Führerschein {licence}.",
    "Treffpunkt ist {address}, {time} Uhr.",
    "Kundennummer {order}, Fassung {version}, Beleg {uuid}",
    "Herr {name} hat von {ip} aus geschrieben.",
];

const FRENCH: &[&str] = &[
    "Bonjour, je m'appelle {name}, dossier {order}.",
    "Mon portable : {phone}, mon adresse : {email}",
    "Remboursement de {amount} à verser ici : {iban}.",
    "Le paiement du {date} par carte bancaire {card} est double.",
    "Date de naissance : {dob}. Domicile : {address}.",
    "Pour la mutuelle, mon NIR est {id}.",
    "Je joins mon passeport, numéro {passport}, et mon permis de conduire no {licence}.",
    "Rendez-vous {address} à {time}.",
    "Référence {order}, version {version}, jeton {uuid}",
    "Monsieur {name} s'est connecté depuis {ip}.",
];

const SPANISH: &[&str] = &[
    "Hola, me llamo {name}, es por el expediente {order}.",
    "Mi móvil es el {phone} y mi correo {email}",
    "La devolución de {amount} debe ir a {iban}.",
    "El cargo del {date} en la tarjeta de crédito {card} está repetido.",
    "Fecha de nacimiento: {dob}. Domicilio: {address}.",
    "Mi documento de identidad es el {id}.",
    "Adjunto el pasaporte, número {passport}, y el carnet de conducir {licence}.",
    "Nos vemos en {address} a las {time}.",
    "Referencia {order}, versión {version}, ficha {uuid}",
    "Don {name} entró desde {ip}.",
];

const ITALIAN: &[&str] = &[
    "Buongiorno, mi chiamo {name}, pratica {order}.",
    "Il mio numero è {phone}, la mia posta {email}",
    "Il rimborso di {amount} va fatto su {iban}.",
    "L'addebito del {date} sulla carta di credito {card} è doppio.",
    "Data di nascita: {dob}. Residenza: {address}.",
    "Per la ricevuta, C.F. {id}.",
    "Allego il passaporto numero {passport} e la patente {licence}.",
    "Ci vediamo in {address} alle {time}.",
    "Riferimento {order}, versione {version}, codice {uuid}",
    "Il signor {name} è entrato da {ip}.",
];

const DUTCH: &[&str] = &[
    "Goedendag, ik heet {name}, dossier {order}.",
    "Mijn gsm is {phone}, mijn adres {email}",
    "De terugbetaling van {amount} mag naar {iban}.",
    "De afschrijving van {date} op kaart {card} is dubbel.",
    "Geboortedatum: {dob}. Woonplaats: {address}.",
    "Voor de loonadministratie: burgerservicenummer {id}.",
    "Bijgevoegd: paspoort, nummer {passport}, en rijbewijs {licence}.",
    "We spreken af bij {address} om {time}.",
    "Kenmerk {order}, versie {version}, code {uuid}",
    "Meneer {name} kwam binnen vanaf {ip}.",
];

const LOGS: &[&str] = &[
    "[{date}T{time}Z] auth: accepted password for {email} from {ip} port 51022",
    "kernel: eth0 {mac} up, address {private}",
    "client={ip} rid={uuid} size={epoch} path=/v2/items/{order}",
    "deploy {hash} -> {version} took 12.5 s",
    "payment declined: number {badcard} invalid, retry at {epoch}",
    "bounce <{email}>: user unknown (relay {ip})",
];

const TABLES: &[&str] = &[
    "{order}\t{name}\t{email}\t{dob}",
    "mail: \"{email}\", tel: \"{phone}\", rid: \"{uuid}\"",
    "\"{name}\";\"{address}\";\"{iban}\";\"{amount}\"",
    "sku;ean;rev\n{order};{isbn};{version}",
];

const CODE: &[&str] = &[
    "const PEERS = [\"{ip}\", \"{private}\"]; // since {version}",
    "/// Reported by <{email}>, fixed in {hash}.",
    "location = \"{geo}\"  # home",
    "assert_eq!(sum(&[{array}]), 4.25); // {file}",
    "redis = connect(\"{urlcred}\")",
    "uuid: {uuid}, ean: {isbn}, at: {epoch}",
    "donate: {crypto} or {eth}",
];

const RECORDS: &[&str] = &[
    "numer PESEL {pl_pesel} | cpf: {br_cpf} | cnpj: {br_cnpj}",
    "UIDAI Aadhaar: {in_aadhaar} / social insurance no. {ca_sin}",
    "pnr {se_personnummer} fnr {no_fnr} hetu {fi_hetu}",
    "N° AVS {ch_ahv} - registre national {be_national_number} - contribuinte {pt_nif}",
    "bounced: {badiban} ({order})",
];

const SECRETS: &[&str] = &[
    "\"user\": \"app\", \"password\": \"{password}\"",
    "x-api-key: {apikey}",
    "AccessKeyId: {aws}",
    "git remote set-url origin with token {github}",
    "api_key = \"{placeholder}\"",
    "checksum: {hash}",
];
